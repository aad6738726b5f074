//! The report for build servers: a suite for each race, a case for each client.
//!
//! Owns the XML and its escaping. The lost clients of a race that is not judged are skipped
//! cases, so that a comparison does not fail a build by what it shows of the bare app.

use std::fmt::Write as _;

use super::{Run, units::seconds};
use crate::seen::Client;

/// All races as one JUnit document.
#[must_use]
pub fn document(runs: &[&Run<'_>]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for run in runs {
        suite(&mut xml, run);
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn suite(xml: &mut String, run: &Run<'_>) {
    let column = run.column().key();
    let (failures, skipped) = match run.judged {
        true => (run.tally.lost, 0),
        false => (0, run.tally.lost),
    };
    let last = run.outcome.clients.iter().map(|client| client.ended).max();
    // Writing to a String does not fail.
    let _ = writeln!(
        xml,
        "  <testsuite name=\"cold start, {column}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" time=\"{:.3}\">",
        run.tally.clients,
        last.unwrap_or_default().as_secs_f64(),
    );
    for client in &run.outcome.clients {
        case(xml, &column, client, run.judged);
    }
    xml.push_str("  </testsuite>\n");
}

fn case(xml: &mut String, column: &str, client: &Client, judged: bool) {
    let took = client.ended.saturating_sub(client.arrived);
    let _ = write!(
        xml,
        "    <testcase classname=\"vestibule.race.{column}\" name=\"client {}, arrived at {}\" time=\"{:.3}\"",
        client.number,
        seconds(client.arrived),
        took.as_secs_f64(),
    );
    if !client.seen.is_lost() {
        xml.push_str("/>\n");
        return;
    }
    let label = escaped(&client.seen.label());
    let _ = match judged {
        true => writeln!(
            xml,
            "><failure type=\"{}\" message=\"{label} after {}\"/></testcase>",
            escaped(&client.seen.key()),
            seconds(took),
        ),
        false => writeln!(
            xml,
            "><skipped message=\"{label}; shown for comparison, not judged\"/></testcase>"
        ),
    };
}

/// Text as it may stand in an attribute; characters that XML 1.0 cannot hold are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // XML 1.0 section 2.2: no control character but tab, line feed and return.
            '\t' | '\n' | '\r' => out.push(' '),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{bare, door};

    /// Checks nesting and quoting of the small XML we write: every tag closes in order.
    fn assert_well_formed(xml: &str) {
        let mut open = Vec::new();
        let body = xml.split_once("?>\n").unwrap().1;
        for tag in body.split('<').skip(1) {
            let (tag, text) = tag.split_once('>').unwrap();
            assert!(text.trim().is_empty(), "stray text {text:?}");
            assert_eq!(tag.matches('"').count() % 2, 0, "open quote in {tag}");
            let name = tag.split([' ', '/']).find(|part| !part.is_empty()).unwrap();
            if let Some(closed) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(closed));
            } else if !tag.ends_with('/') {
                open.push(name);
            }
        }
        assert!(open.is_empty(), "never closed: {open:?}");
    }

    #[test]
    fn a_comparison_is_well_formed_and_fails_only_by_the_door() {
        let (bare, door) = (bare(), door());
        let xml = document(&[&Run::for_comparison(&bare), &Run::judged(&door)]);
        assert_well_formed(&xml);
        assert_eq!(xml.matches("<testcase ").count(), 80);
        assert_eq!(xml.matches("<failure ").count(), 0);
        assert_eq!(xml.matches("<skipped ").count(), 25);
        assert!(xml.contains("name=\"cold start, door\" tests=\"40\" failures=\"0\""));
    }

    #[test]
    fn a_lost_client_fails_its_case_by_name() {
        let bare = bare();
        let xml = document(&[&Run::judged(&bare)]);
        assert_well_formed(&xml);
        assert!(xml.contains("tests=\"40\" failures=\"25\" errors=\"0\" skipped=\"0\""));
        assert!(xml.contains(
            "name=\"client 5, arrived at 0.55 s\" time=\"0.301\"><failure type=\"closed_1011\" message=\"closed 1011 after 0.30 s\"/></testcase>"
        ));
    }

    // Breaks the escaping with all that could end an attribute or a document.
    #[test]
    fn nothing_can_break_out_of_an_attribute() {
        assert_eq!(escaped("a\"b'c<d>&e\nf\u{0}\u{1b}g"), "a&quot;b&apos;c&lt;d&gt;&amp;e fg");
    }
}
