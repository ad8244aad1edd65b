//! A node type in Rust: counts the primes below a number.
//!
//! It reads one line of JSON from standard input and writes lines of JSON to standard output, as
//! docs/reference/programs.md says. It needs no crates: of its request it wants a single number.

use std::io::{self, BufRead, Write};

fn main() -> io::Result<()> {
    let mut asked = String::new();
    io::stdin().lock().read_line(&mut asked)?;
    let mut out = io::stdout().lock();
    let Some(below) = number(&asked, "below") else {
        return writeln!(
            out,
            r#"{{"error": {{"code": "INVALID_INPUT", "message": "'below' is no number", "retryable": false}}}}"#
        );
    };
    if below > 1 << 30 {
        return writeln!(
            out,
            r#"{{"error": {{"code": "LIMIT_EXCEEDED", "message": "'below' is at most {}", "retryable": false}}}}"#,
            1u64 << 30
        );
    }
    let (count, largest) = primes(below as usize, &mut out)?;
    let largest = largest.map_or("null".to_owned(), |prime| prime.to_string());
    writeln!(out, r#"{{"output": {{"count": {count}, "largest": {largest}}}}}"#)
}

/// The value of an input that is a whole number.
fn number(asked: &str, name: &str) -> Option<u64> {
    let inputs = &asked[asked.find("\"inputs\"")?..];
    let key = format!("\"{name}\":");
    let value = inputs[inputs.find(&key)? + key.len()..].trim_start();
    let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    value[..end].parse().ok()
}

/// How many primes there are below a number, and the largest; says how far it is.
fn primes(below: usize, out: &mut impl Write) -> io::Result<(usize, Option<usize>)> {
    let mut composite = vec![false; below];
    let root = (below as f64).sqrt() as usize + 1;
    let mut told = 0;
    for factor in 2..root.min(below) {
        if !composite[factor] {
            for multiple in (factor * factor..below).step_by(factor) {
                composite[multiple] = true;
            }
        }
        let tenth = factor * 10 / root;
        if tenth > told {
            told = tenth;
            writeln!(out, r#"{{"progress": 0.{tenth}}}"#)?;
            out.flush()?;
        }
    }
    let mut found = (2..below).filter(|&number| !composite[number]);
    let largest = found.clone().last();
    Ok((found.by_ref().count(), largest))
}
