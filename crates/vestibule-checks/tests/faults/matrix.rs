//! The matrix.
//!
//! Owns running all cells side by side, comparing them with `expected.txt`, and showing them. Must never let one
//! cell's failure hide another's.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::cell::{self, Cell};
use crate::fault::Fault;
use crate::healthy::{Column, Healthy};

const EXPECTED: &str = include_str!("expected.txt");

/// As many cells at a time.
const AT_ONCE: usize = 48;

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// What may come of each cell, by fault and column.
fn expected() -> BTreeMap<(String, String), Vec<&'static str>> {
    let mut lines = EXPECTED.lines().filter(|line| !line.starts_with('#'));
    let columns: Vec<_> = lines.next().unwrap().split_whitespace().skip(1).collect();
    let mut expected = BTreeMap::new();
    for line in lines {
        let mut words = line.split_whitespace();
        let fault = words.next().unwrap();
        for (column, word) in columns.iter().zip(words) {
            let key = (fault.to_owned(), (*column).to_owned());
            expected.insert(key, word.split('|').collect());
        }
    }
    expected
}

#[test]
fn every_kind_meets_every_fault_in_time_with_the_right_word() {
    let (checks, servers) = (runtime(), runtime());
    let healthy = servers.block_on(Healthy::start());
    let aside = servers.handle().clone();
    let (before, cells) = checks.block_on(async {
        let before = descriptors();
        let cells = all(&healthy.columns, &aside).await;
        let tasks = settled(|| Handle::current().metrics().num_alive_tasks(), 0).await;
        assert_eq!(tasks, 0, "tasks are left");
        (before, cells)
    });
    let shown = shown(&healthy.columns, &cells);
    println!("{shown}");
    let wrong = wrong(&cells);
    assert!(wrong.is_empty(), "{shown}\n{}", wrong.join("\n"));
    drop(healthy);
    drop(servers);
    let after = checks.block_on(settled(descriptors, before));
    assert!(after <= before, "{} descriptors are left", after - before);
}

type Cells = BTreeMap<(String, String), Cell>;

/// Every cell; one that failed is tried once more, alone, for a machine that was busy with something else.
async fn all(columns: &[Column], aside: &Handle) -> Cells {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for fault in Fault::ALL {
        for column in columns {
            let (column, aside) = (column.clone(), aside.clone());
            let places = Arc::clone(&places);
            running.spawn(async move {
                let _place = places.acquire().await.unwrap();
                let cell = cell::pass(&column, fault, &aside).await;
                ((fault.word(), column.name.to_owned()), cell)
            });
        }
    }
    let mut cells: Cells = running.join_all().await.into_iter().collect();
    for fault in Fault::ALL {
        for column in columns {
            let key = (fault.word(), column.name.to_owned());
            let one = Cells::from([(key.clone(), cells[&key].clone())]);
            if !wrong(&one).is_empty() {
                cells.insert(key, cell::pass(column, fault, aside).await);
            }
        }
    }
    cells
}

fn wrong(cells: &Cells) -> Vec<String> {
    let expected = expected();
    let mut wrong = Vec::new();
    for (key, cell) in cells {
        let (fault, column) = key;
        let said = format!("{column} with {fault}: {} ({})", cell.outcome, cell.detail);
        match expected.get(key) {
            Some(words) if words.contains(&cell.outcome.as_str()) => {}
            words => wrong.push(format!("{said}: {words:?} is expected")),
        }
        if let Some(what) = cell.wrong() {
            wrong.push(format!("{said}: {what}"));
        }
    }
    wrong
}

fn shown(columns: &[Column], cells: &Cells) -> String {
    let mut shown = format!("{:12}", "");
    for column in columns {
        shown += &format!(" {:>24}", column.name);
    }
    for fault in Fault::ALL {
        shown += &format!("\n{:12}", fault.word());
        for column in columns {
            let cell = &cells[&(fault.word(), column.name.to_owned())];
            shown += &format!(" {:>17} {:>3} ms", cell.outcome, cell.took.as_millis());
        }
    }
    shown
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// What a count comes to once it is low enough, or has had its time.
async fn settled(count: impl Fn() -> usize, enough: usize) -> usize {
    for _ in 0..200 {
        if count() <= enough {
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    count()
}
