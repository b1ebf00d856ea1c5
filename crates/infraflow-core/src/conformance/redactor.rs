use super::{Violation, violation::Held};
use crate::redact::Redactor;

const SECRET: &str = "s3cret-välue-of-the-run";

/// Holds a [`Redactor`] against its contract, numbers 1 to 5 and 7. `make` gives a redactor for one secret,
/// by name and value. Number 6, bounded memory, is for the reader.
pub fn redactor(make: impl Fn(&str, &str) -> Box<dyn Redactor>) -> Vec<Violation> {
    let mut held = Held::against("Redactor");
    let redactor = make("database.password", SECRET);
    let log = format!("begin ä\n{SECRET}{SECRET}\nvalue = \"{SECRET}\", s3cret-v and the end of s3cret-");
    let (whole, report) = redactor.redact(log.as_bytes());

    let mut other = redactor.start();
    other.push(&SECRET.as_bytes()[..5], &mut Vec::new());
    held.check(1, redactor.redact(log.as_bytes()).0 == whole, || {
        "a redaction under way changed what another one gave".into()
    });

    for size in 1..=log.len() {
        let (mut out, mut redaction) = (Vec::new(), redactor.start());
        for chunk in log.as_bytes().chunks(size) {
            redaction.push(chunk, &mut out);
            let shown = String::from_utf8_lossy(&out);
            held.check(3, !shown.contains(SECRET), || format!("chunks of {size} bytes show the secret"));
        }
        redaction.finish(&mut out);
        held.check(2, out == whole, || format!("chunks of {size} bytes give another text than one chunk"));
        held.check(4, out.ends_with(b"the end of s3cret-"), || {
            format!("with chunks of {size} bytes, what was held back at the end is missing")
        });
    }
    held.check(3, !String::from_utf8_lossy(&whole).contains(SECRET), || "the secret is shown".into());
    held.check(5, std::str::from_utf8(&whole).is_ok(), || "valid UTF-8 became invalid".into());
    held.check(7, report.redacted.iter().any(|secret| secret.name == "database.password"), || {
        "the report does not name the secret that was found".into()
    });
    held.check(7, !format!("{report:?}{redactor:?}").contains(SECRET), || "the report has the value".into());
    held.violations()
}
