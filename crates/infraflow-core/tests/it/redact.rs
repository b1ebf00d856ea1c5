//! Secrets that are cut, coloured, wrapped and encoded, and logs that are cut anywhere.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use infraflow_core::redact::{MARK, RedactionReport, Redactor, SecretRedactor, Secrets, WhyLeftAlone};
use proptest::prelude::*;

fn redactor(values: &[&str]) -> SecretRedactor {
    let mut secrets = Secrets::new();
    for (index, value) in values.iter().enumerate() {
        secrets.add(format!("secret{index}"), value);
    }
    SecretRedactor::new(&secrets).unwrap()
}

/// The log without its secrets, given in one piece.
fn shown(redactor: &dyn Redactor, log: &str) -> String {
    redactor.redact_text(log).0
}

/// The log without its secrets, given in pieces.
fn in_pieces<'a>(
    redactor: &dyn Redactor,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<u8>, RedactionReport) {
    let (mut out, mut redaction) = (Vec::new(), redactor.start());
    for piece in pieces {
        redaction.push(piece, &mut out);
    }
    let report = redaction.finish(&mut out);
    (out, report)
}

const PASSWORD: &str = "correct-horse-battery";

#[test]
fn a_secret_cut_into_single_bytes_is_caught() {
    let redactor = redactor(&[PASSWORD]);
    let log = format!("password = {PASSWORD}, again {PASSWORD}!");
    let (out, report) = in_pieces(&redactor, log.as_bytes().chunks(1));
    assert_eq!(String::from_utf8(out).unwrap(), format!("password = {MARK}, again {MARK}!"));
    assert_eq!(report.redacted[0].count, 2);
}

#[test]
fn a_coloured_secret_is_caught_and_the_colours_stay() {
    let redactor = redactor(&[PASSWORD]);
    let log = "a \u{1b}[31mcorrect\u{1b}[1;4m-horse-\u{1b}(B\u{1b}[mbattery\u{1b}[0m b";
    assert_eq!(shown(&redactor, log), format!("a \u{1b}[31m{MARK}\u{1b}[1;4m\u{1b}(B\u{1b}[m\u{1b}[0m b"));
    let each: String = PASSWORD.chars().map(|c| format!("\u{1b}[32m{c}")).collect();
    assert_eq!(shown(&redactor, &each), format!("\u{1b}[32m{MARK}{}", "\u{1b}[32m".repeat(20)));
}

#[test]
fn a_secret_in_a_terminals_title_or_link_is_caught() {
    let redactor = redactor(&[PASSWORD]);
    let log = format!("\u{1b}]8;;https://host/?t={PASSWORD}\u{1b}\\text\u{1b}]8;;\u{7}");
    assert_eq!(shown(&redactor, &log), log.replace(PASSWORD, MARK));
}

#[test]
fn a_secret_after_a_bare_escape_is_caught_where_a_colour_stands_within() {
    // ESC + a is an escape sequence as well: a terminal drops it whole, a viewer that knows colours alone
    // does not.
    let secret = "+a +-++";
    for log in ["\u{1b}+a +-\u{1b}[0m++", "+\u{1b}a +\u{1b}[0m-++", "\u{1b}(B+\u{1b}+a\u{1b}[0m +-++"] {
        let redactor = redactor(&[secret]);
        let out = shown(&redactor, log);
        assert!(out.contains(MARK), "{log:?}: {out:?}");
        readings(&out).iter().for_each(|read| assert!(!read.contains(secret), "{log:?}: {out:?}"));
        let (cut, _) = in_pieces(&redactor, log.as_bytes().chunks(1));
        assert_eq!(String::from_utf8(cut).unwrap(), out);
    }
}

#[test]
fn a_secret_is_caught_whatever_escape_sequence_stands_within() {
    let redactor = redactor(&[PASSWORD]);
    let (left, right) = PASSWORD.split_at(9);
    let long = format!("\u{1b}[{}m", "1;".repeat(400));
    for (within, stays) in [
        // Cut short: what a terminal drops does not stay to take in what follows.
        ("\u{1b}", ""),
        ("\u{1b}[3", ""),
        ("\u{1b}\u{1b}[0m", "\u{1b}[0m"),
        ("\u{1b}[3\u{1b}[0m", "\u{1b}[0m"),
        // A title and a link, which a terminal does not show where they stand.
        ("\u{1b}]0;title\u{7}", ""),
        ("\u{1b}]8;;https://host/\u{1b}\\", "\u{1b}\\"),
        (long.as_str(), long.as_str()),
    ] {
        // The first byte of the right half would end a sequence that is cut short: it shows either way.
        let right = if within.ends_with(['\u{1b}', '3']) { format!("\u{1b}[m{right}") } else { right.into() };
        let colour = if right.starts_with('\u{1b}') { "\u{1b}[m" } else { "" };
        let out = shown(&redactor, &format!("<{left}{within}{right}>"));
        assert_eq!(out, format!("<{MARK}{stays}{colour}>"), "{within:?}");
    }
    let out = shown(&redactor, &format!("<\u{1b}[3{left}\u{1b}[0m{right}>"));
    assert_eq!(out, format!("<\u{1b}[3{MARK}\u{1b}[0m>"));
}

#[test]
fn a_secret_of_several_lines_is_caught_however_it_is_indented_wrapped_or_framed() {
    let key = "-----BEGIN KEY-----\nMIIEowIBAAK\nab\n+x/y\n-----END KEY-----";
    let redactor = redactor(&[key]);
    for log in [
        key.to_owned(),
        key.replace('\n', "\r\n"),
        format!("    <<-EOT\n        {}\n    EOT", key.replace('\n', "\n        ")),
        format!("      + {}\n", key.replace('\n', "\n      + ")),
        format!("\u{2502} {}\n\u{2575}", key.replace('\n', "\n\u{2502} ")),
        key.replace('\n', " "),
        key.replace('\n', "\\n"),
        format!("\u{1b}[31m{}", key.replace('\n', "\u{1b}[0m\n\t\u{1b}[31m")),
    ] {
        let out = shown(&redactor, &log);
        for part in ["BEGIN", "MIIE", "ab", "x/y", "END KEY"] {
            assert!(!out.contains(part), "{log:?}: {out:?}");
        }
    }
    assert!(!shown(&redactor, "one line alone: MIIEowIBAAK.").contains("MIIE"));
}

#[test]
fn wrapped_base64_is_caught() {
    let secret = "a token that is long enough to be wrapped by any tool that writes base64 at 76 columns";
    let redactor = redactor(&[secret]);
    let digits = STANDARD.encode(format!("user:{secret}"));
    let wrapped: Vec<&str> = digits.as_bytes().chunks(20).map(|l| std::str::from_utf8(l).unwrap()).collect();
    let out = shown(&redactor, &format!("Basic\n  {}\nend", wrapped.join("\n  ")));
    assert!(out.len() < 40 && out.ends_with("\nend"), "{out:?}");
}

#[test]
fn each_encoding_is_caught() {
    let secret = "p\"a$s%s/w<o>r&d \u{e9}'x";
    let redactor = redactor(&[secret]);
    let json = serde_json::to_string(secret).unwrap();
    let double = serde_json::to_string(&json).unwrap();
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let percent = percent.replace("%70", "p").replace("%61", "a").replace("%73", "s");
    let percent = percent.replace("%77", "w").replace("%6F", "o").replace("%72", "r");
    let percent = percent.replace("%64", "d").replace("%78", "x");
    for form in [secret, &json, &double, &hex, &hex.to_uppercase(), &percent, &STANDARD.encode(secret)] {
        let out = shown(&redactor, &format!("<{form}>"));
        assert!(out.contains(MARK) && out.len() <= MARK.len() + 8, "{form}: {out}");
    }
}

#[test]
fn overlapping_secrets_leave_nothing_between_them() {
    let redactor = redactor(&["abcdef", "defghi", "cdefg"]);
    assert_eq!(shown(&redactor, "-abcdefghi-"), format!("-{MARK}-"));
    assert_eq!(shown(&redactor, "-cdefghi-"), format!("-{MARK}-"));
    assert_eq!(shown(&redactor, "-abcdeghi-"), "-abcdeghi-");
}

#[test]
fn what_only_begins_like_a_secret_is_shown() {
    let redactor = redactor(&[PASSWORD]);
    let log = "correct-horse-batter and correct-horse";
    assert_eq!(shown(&redactor, log), log);
    let (out, report) = in_pieces(&redactor, log.as_bytes().chunks(3));
    assert_eq!((String::from_utf8(out).unwrap().as_str(), report.places()), (log, 0));
}

#[test]
fn ordinary_words_are_not_found_across_spaces() {
    let redactor = redactor(&["main"]);
    assert_eq!(shown(&redactor, "I am a inspector; main"), format!("I am a inspector; {MARK}"));
}

#[test]
fn the_report_names_secrets_and_what_was_left_alone() {
    let mut secrets = Secrets::new();
    secrets.add("db.password", PASSWORD);
    secrets.add("db.on", "true");
    secrets.add("db.pin", "123");
    secrets.add("db.unused", "never-seen-anywhere");
    let redactor = SecretRedactor::new(&secrets).unwrap();
    let (_, report) = (&redactor as &dyn Redactor).redact(PASSWORD.as_bytes());
    assert_eq!(report.redacted.len(), 1);
    assert_eq!((report.redacted[0].name.as_str(), report.redacted[0].count), ("db.password", 1));
    let left: Vec<_> = report.left_alone.iter().map(|left| (left.name.as_str(), left.why)).collect();
    assert_eq!(left, [("db.on", WhyLeftAlone::Trivial), ("db.pin", WhyLeftAlone::TooShort)]);
    assert!(!format!("{redactor:?}").contains(PASSWORD));
}

#[test]
fn a_long_secret_is_one_place() {
    let secret: String = (0..20_000).map(|at| char::from(b'a' + (at * at / 7 % 26) as u8)).collect();
    let redactor = redactor(&[&secret]);
    let (out, report) = (&redactor as &dyn Redactor).redact_text(&format!("<{secret}>"));
    assert_eq!((out, report.places()), (format!("<{MARK}>"), 1));
}

#[test]
fn without_secrets_a_log_comes_out_as_it_went_in() {
    let redactor = redactor(&[]);
    let log = "any\u{1b}[0m text \u{e9}\n";
    assert_eq!(shown(&redactor, log), log);
}

#[test]
fn what_is_held_back_is_bounded() {
    let redactor = redactor(&[PASSWORD]);
    let mut redaction = redactor.start();
    let mut out = Vec::new();
    let (mut given, mut most) = (0, 0);
    for piece in ["c", "\u{1b}[0m", " ", "correct-horse", "\u{1b}[", "\n+"].into_iter().cycle().take(50_000) {
        redaction.push(piece.as_bytes(), &mut out);
        given += piece.len();
        most = most.max(given - out.len());
    }
    assert!(most < 300_000, "{most}");
    redaction.finish(&mut out);
    assert_eq!(out.len(), given);
}

#[test]
fn a_secret_is_caught_across_a_long_gap_but_not_an_endless_one() {
    let redactor = redactor(&[PASSWORD]);
    let (left, right) = PASSWORD.split_at(9);
    let near = format!("{left}{}{right}", " ".repeat(1000));
    assert!(!shown(&redactor, &near).contains(left));
    let far = format!("{left}{}{right}", " ".repeat(1100));
    assert_eq!(shown(&redactor, &far), far);
}

/// Text in which secrets, their beginnings, colours, spaces and wide characters come close together.
fn logs() -> impl Strategy<Value = (Vec<String>, String)> {
    let secret = prop_oneof!["[ab]{4,8}", "[abé🔑]{4,6}", "[ab\\n +-]{6,14}", "[a-d\"\\\\]{5,300}"];
    let secrets = prop::collection::vec(secret, 1..4);
    secrets.prop_flat_map(|secrets| {
        let whole = prop::sample::select(secrets.clone());
        let coloured = whole
            .clone()
            .prop_map(|secret| secret.chars().map(|c| format!("\u{1b}[1m{c}")).collect::<String>());
        let begun = (whole.clone(), any::<prop::sample::Index>()).prop_map(|(secret, at)| {
            let at = at.index(secret.chars().count());
            secret.chars().take(at).collect::<String>()
        });
        let other = prop_oneof![
            "[ab é🔑\\n+│-]{0,6}",
            Just("\u{1b}".to_owned()),
            Just("\u{1b}[3".to_owned()),
            Just("\u{1b}[0m".to_owned()),
        ];
        let parts = prop::collection::vec(prop_oneof![whole, coloured, begun, other], 0..12);
        (Just(secrets), parts.prop_map(|parts| parts.concat()))
    })
}

/// The log as a terminal shows it, by another way than the redactor's.
fn plain(log: &str) -> String {
    let mut out = String::new();
    let mut rest = log;
    while let Some(at) = rest.find("\u{1b}[") {
        let (before, sequence) = rest.split_at(at);
        let end = sequence[2..].find(|c: char| !(' '..='?').contains(&c)).map(|end| end + 2);
        match end {
            Some(end) if ('@'..='~').contains(&sequence[end..].chars().next().unwrap()) => {
                out.push_str(before);
                rest = &sequence[end + 1..];
            }
            _ => {
                out.push_str(before);
                out.push_str(&sequence[..2]);
                rest = &sequence[2..];
            }
        }
    }
    out + rest
}

/// The log as a terminal shows it that knows all escape sequences.
fn terminal(log: &str) -> String {
    let mut out = String::new();
    let mut parts = log.split('\u{1b}');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (control, last) = match part.strip_prefix('[') {
            Some(control) => (control, ' '..='?'),
            None => (part, ' '..='/'),
        };
        let rest = control.trim_start_matches(|c| last.contains(&c));
        let ends =
            rest.starts_with(|c| (if part.len() > control.len() { '@' } else { '0' }..='~').contains(&c));
        out.push_str(if ends { &rest[1..] } else { rest });
    }
    out
}

/// What different readers of a log see.
fn readings(log: &str) -> [String; 4] {
    [log.to_owned(), log.replace('\u{1b}', ""), plain(log), terminal(log)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn however_it_is_cut_the_result_is_the_same_and_holds_no_secret(
        (secrets, log) in logs(),
        cuts in prop::collection::vec(1_usize..40, 1..200),
    ) {
        let values: Vec<&str> = secrets.iter().map(String::as_str).collect();
        let redactor = redactor(&values);
        let whole = (&redactor as &dyn Redactor).redact(log.as_bytes());
        let mut rest = log.as_bytes();
        let mut pieces = Vec::new();
        for cut in cuts.into_iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        let cut = in_pieces(&redactor, pieces);
        prop_assert_eq!(&whole, &cut);
        let out = String::from_utf8(whole.0).expect("UTF-8 stays UTF-8");
        for secret in secrets.iter().map(|secret| secret.trim()).filter(|secret| secret.len() >= 4) {
            for read in readings(&out) {
                prop_assert!(!read.contains(secret), "{out:?} shows {secret:?}: {read:?}");
            }
        }
    }

    #[test]
    fn any_bytes_give_the_same_however_they_are_cut(
        log in prop::collection::vec(prop_oneof![Just(0x1b_u8), Just(b'['), Just(b']'), Just(7), Just(0xe2), Just(0x94), Just(0x82), Just(b'\n'), Just(b'+'), Just(0xa9), b'a'..b'd', any::<u8>()], 0..200),
        secret in prop::collection::vec(prop_oneof![Just(0xa9_u8), Just(0x82), b'a'..b'c'], 4..6),
        step in 1_usize..9,
    ) {
        let mut secrets = Secrets::new();
        secrets.add("s", &secret);
        let redactor = SecretRedactor::new(&secrets).unwrap();
        let whole = (&redactor as &dyn Redactor).redact(&log);
        prop_assert_eq!(whole, in_pieces(&redactor, log.chunks(step)));
    }

    #[test]
    fn text_stays_text_in_every_piece_that_ends_between_characters(
        (secrets, log) in logs(),
        step in 1_usize..5,
    ) {
        let values: Vec<&str> = secrets.iter().map(String::as_str).collect();
        let redactor = redactor(&values);
        let mut redaction = redactor.start();
        let chars: Vec<char> = log.chars().collect();
        for piece in chars.chunks(step) {
            let mut out = Vec::new();
            redaction.push(piece.iter().collect::<String>().as_bytes(), &mut out);
            prop_assert!(String::from_utf8(out).is_ok());
        }
    }
}
