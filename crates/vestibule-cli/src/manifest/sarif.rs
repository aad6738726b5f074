//! Findings for machines.
//!
//! Owns the document: SARIF 2.1.0 (OASIS, <https://docs.oasis-open.org/sarif/sarif/v2.1.0/>), which code hosts show
//! beside the lines. Must never hold a manifest's text.

use serde_json::{Value, json};

use super::Judged;
use super::finding::{Finding, Rule};
use super::rules::table::ALL;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The document; `names` are the files in the order in which they were given.
pub(crate) fn document(judged: &Judged, names: &[&str]) -> Value {
    let rules: Vec<_> = ALL.iter().map(|rule| described(rule)).collect();
    let results: Vec<_> = judged.findings.iter().map(|one| result(one, names)).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "vestibule doctor",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn described(rule: &Rule) -> Value {
    let mut described = json!({
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.reason},
        "help": {"text": rule.fix},
        "defaultConfiguration": {"level": rule.severity.as_str()},
        "properties": {"recalled": !rule.source.is_read},
    });
    // A page of our own has no address that every reader of the document could open.
    if rule.source.url.starts_with("https://") {
        described["helpUri"] = rule.source.url.into();
    }
    described
}

fn result(finding: &Finding, names: &[&str]) -> Value {
    let at = finding.at;
    let index = ALL.iter().position(|rule| rule.id == finding.rule.id);
    json!({
        "ruleId": finding.rule.id,
        "ruleIndex": index,
        "level": finding.severity.as_str(),
        "message": {"text": format!("{}. {} Fix:\n{}", finding.what, finding.rule.reason, finding.fix)},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": names.get(at.file).copied().unwrap_or_default().replace(' ', "%20")},
            "region": {"startLine": at.line, "startColumn": at.column},
        }}],
    })
}
