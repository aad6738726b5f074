//! Breaks the page: its picture, its width, its escape codes. The races are those of `sample`:
//! forty clients over 4 s, the port open at 0.5 s, readiness at 2.5 s.

use super::*;
use crate::report::sample::{bare, door};

#[test]
fn look() {
    let (bare, door) = (bare(), door());
    let style = Style { colour: false, unicode: true };
    println!("{}", compare(&Run::for_comparison(&bare), &Run::judged(&door), style));
    println!("{}", single(&Run::judged(&bare), Style::PLAIN));
    println!("{}", single(&Run::judged(&door), Style::PLAIN));
}
