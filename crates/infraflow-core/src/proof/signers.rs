use super::{Principal, ProofError, Timestamp, VerifyingKey};

/// An allowed-signers file: which key signs for whom, for which namespaces, and when (ssh-keygen(1),
/// ALLOWED SIGNERS). The same file serves `ssh-keygen -Y verify`, which understands more than this: what
/// is not understood here is refused when the file is read, since every part of a line narrows what its
/// key may sign.
///
/// ```text
/// ada@example.com ssh-ed25519 AAAAC3Nz…
/// ci@example.com namespaces="infraflow-manifest" ssh-ed25519 AAAAC3Nz…
/// bob@example.com namespaces="infraflow-*",valid-before="20270101Z" ssh-ed25519 AAAAC3Nz…
/// ```
///
/// - Principals are names, not patterns. A pattern would say "whoever": nobody could tell an author from
///   an approver, or one approver from two.
/// - `cert-authority` is refused: a certificate's principals are not looked at.
/// - `valid-after` and `valid-before` need the `Z` of UTC, since the local time zone of whoever verifies
///   is nobody's agreement. A line that has one of them counts only after [`AllowedSigners::at`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedSigners(Vec<AllowedSigner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct AllowedSigner {
    principals: Vec<Principal>,
    restrictions: Restrictions,
    key: VerifyingKey,
}

/// What the options of a line say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Restrictions {
    /// Patterns, as OpenSSH has them.
    namespaces: Option<Vec<String>>,
    valid_after: Option<Timestamp>,
    valid_before: Option<Timestamp>,
}

impl AllowedSigners {
    /// Reads an allowed-signers file.
    ///
    /// # Errors
    /// [`ProofError::AllowedSigners`] with the line at fault.
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let mut signers = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let signer =
                parse_line(line).map_err(|why| ProofError::AllowedSigners { line: index + 1, why })?;
            signers.push(signer);
        }
        Ok(Self(signers))
    }

    /// The signers that are allowed at a moment: lines whose time has not come, or has passed, are left
    /// out, and the others no longer depend on the time.
    #[must_use]
    pub fn at(&self, moment: Timestamp) -> Self {
        let valid = self.0.iter().filter(|signer| {
            let restrictions = &signer.restrictions;
            restrictions.valid_after.is_none_or(|after| moment >= after)
                && restrictions.valid_before.is_none_or(|before| moment <= before)
        });
        Self(
            valid
                .cloned()
                .map(|mut signer| {
                    signer.restrictions.valid_after = None;
                    signer.restrictions.valid_before = None;
                    signer
                })
                .collect(),
        )
    }

    /// Whose key this is, for a namespace; sorted, without doubles. Lines that hold only for a time are
    /// passed over: see [`AllowedSigners::at`].
    pub fn principals(&self, key: &VerifyingKey, namespace: &str) -> Vec<Principal> {
        let signers = self.0.iter().filter(|signer| {
            signer.key == *key && !signer.depends_on_time() && signer.may_sign_for(namespace)
        });
        sorted(signers)
    }

    /// Every principal with a key here; sorted, without doubles.
    pub fn all(&self) -> Vec<Principal> {
        sorted(self.0.iter())
    }

    /// Whether no key is allowed at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Why a key signs for nobody: the end of a sentence that begins with the key.
    pub(super) fn why_not(&self, key: &VerifyingKey, namespace: &str) -> &'static str {
        let mut lines = self.0.iter().filter(|signer| signer.key == *key).peekable();
        if lines.peek().is_none() {
            "is not among the allowed signers"
        } else if lines.any(|signer| signer.may_sign_for(namespace)) {
            "is allowed only for a time, and nobody said what time it is"
        } else {
            "is allowed for other namespaces only"
        }
    }
}

impl AllowedSigner {
    fn depends_on_time(&self) -> bool {
        self.restrictions.valid_after.is_some() || self.restrictions.valid_before.is_some()
    }

    fn may_sign_for(&self, namespace: &str) -> bool {
        self.restrictions.namespaces.as_ref().is_none_or(|patterns| matches_list(namespace, patterns))
    }
}

fn sorted<'a>(signers: impl Iterator<Item = &'a AllowedSigner>) -> Vec<Principal> {
    let mut found: Vec<Principal> = signers.flat_map(|signer| signer.principals.iter().cloned()).collect();
    found.sort();
    found.dedup();
    found
}

fn parse_line(line: &str) -> Result<AllowedSigner, String> {
    let (principals, rest) = line.split_once(char::is_whitespace).ok_or("it has only one word")?;
    let principals = principals.split(',').map(principal).collect::<Result<_, _>>()?;
    let rest = rest.trim_start();
    let has_options = !["ssh-", "ecdsa-", "sk-"].iter().any(|kind| rest.starts_with(kind));
    let (restrictions, key) =
        if has_options { parse_options(rest)? } else { (Restrictions::default(), rest) };
    // Two keys in one line would be a key and a comment.
    let key = VerifyingKey::parse(key).map_err(|error| error.to_string())?;
    Ok(AllowedSigner { principals, restrictions, key })
}

fn principal(name: &str) -> Result<Principal, String> {
    if name.is_empty() {
        return Err("it has an empty principal".into());
    }
    if name.contains(['*', '?', '!', '"']) {
        return Err(format!("the principal {name} is a pattern: name each person, one line a key"));
    }
    Ok(Principal(name.to_owned()))
}

/// Reads `name[="value"][,name…]`, up to the white space after it.
fn parse_options(text: &str) -> Result<(Restrictions, &str), String> {
    let mut restrictions = Restrictions::default();
    let mut rest = text;
    loop {
        let end = rest.find(|c: char| c == '=' || c == ',' || c.is_whitespace()).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let (value, after) = match after.strip_prefix("=\"") {
            Some(quoted) => {
                let (value, after) =
                    quoted.split_once('"').ok_or_else(|| format!("the value of {name} is not closed"))?;
                (Some(value), after)
            }
            None => (None, after),
        };
        restrictions.set(name, value)?;
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.starts_with(char::is_whitespace) => return Ok((restrictions, after.trim_start())),
            None => return Err(format!("the option {name} is not followed by a key")),
        }
    }
}

impl Restrictions {
    fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), String> {
        let twice = || Err(format!("the option {name} stands there twice"));
        let unclear = || format!("the option {name} is not supported, or not written as {name}=\"…\"");
        let value = value.filter(|value| !value.contains('\\')).ok_or_else(unclear)?;
        // OpenSSH compares the names of options without regard to case.
        match name.to_ascii_lowercase().as_str() {
            "namespaces" => {
                let patterns = value.split(',').map(str::to_owned).collect();
                if self.namespaces.replace(patterns).is_some() { twice() } else { Ok(()) }
            }
            "valid-after" => {
                if self.valid_after.replace(moment(value)?).is_some() {
                    twice()
                } else {
                    Ok(())
                }
            }
            "valid-before" => {
                if self.valid_before.replace(moment(value)?).is_some() {
                    twice()
                } else {
                    Ok(())
                }
            }
            _ => Err(format!("the option {name} is not supported")),
        }
    }
}

/// Reads `YYYYMMDD[HHMM[SS]]Z`.
fn moment(text: &str) -> Result<Timestamp, String> {
    let bad = || format!("{text:?} is no time: write YYYYMMDDZ or YYYYMMDDHHMMSSZ, in UTC");
    let digits = text.strip_suffix(['Z', 'z']).ok_or_else(bad)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || ![8, 12, 14].contains(&digits.len()) {
        return Err(bad());
    }
    let all = format!("{digits:0<14}");
    let part = |from: usize, to: usize| &all[from..to];
    let (year, month, day) = (part(0, 4), part(4, 6), part(6, 8));
    let (hour, minute, second) = (part(8, 10), part(10, 12), part(12, 14));
    Timestamp::parse(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z")).map_err(|_| bad())
}

/// OpenSSH's `match_pattern_list`: some pattern matches, and no pattern with `!` before it does.
fn matches_list(text: &str, patterns: &[String]) -> bool {
    let mut some = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(pattern) if matches(text.as_bytes(), pattern.as_bytes()) => return false,
            Some(_) => {}
            None => some |= matches(text.as_bytes(), pattern.as_bytes()),
        }
    }
    some
}

/// Whether a text matches a pattern of `*` (any bytes) and `?` (one byte). Takes time in proportion to the
/// product of their lengths, at most.
fn matches(text: &[u8], pattern: &[u8]) -> bool {
    let (mut at, mut next) = (0, 0);
    let mut star = None;
    while at < text.len() {
        match pattern.get(next) {
            Some(b'*') => {
                star = Some((next, at));
                next += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[at] => (at, next) = (at + 1, next + 1),
            _ => match star {
                Some((star_at, from)) => {
                    star = Some((star_at, from + 1));
                    (at, next) = (from + 1, star_at + 1);
                }
                None => return false,
            },
        }
    }
    pattern[next..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::SigningKey;

    fn key() -> VerifyingKey {
        SigningKey::generate("somebody").unwrap().verifying_key()
    }
    fn why(text: &str) -> String {
        AllowedSigners::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        let error = AllowedSigners::parse("# who\nada\n").unwrap_err();
        assert!(matches!(error, ProofError::AllowedSigners { line: 2, .. }));
        let key = key();
        for line in [
            format!("ada cert-authority {key}"),
            format!("ada cert-authority,namespaces=\"git\" {key}"),
            format!("ada namespaces=\"git {key}"),
            format!("ada namespaces=git {key}"),
            format!("ada namespaces=\"git\",namespaces=\"file\" {key}"),
            format!("ada namespaces=\"git\"{key}"),
            format!("ada verify-required {key}"),
            format!("ada valid-before=\"20270101\" {key}"),
            format!("ada valid-before=\"20271301Z\" {key}"),
            format!("ada,,bob {key}"),
            "ada ssh-ed25519 AAAA".to_owned(),
            "ada ssh-ed25519-cert-v01@openssh.com AAAA".to_owned(),
            "ada ssh-dss AAAAB3NzaC1kc3MAAAAA".to_owned(),
        ] {
            assert!(AllowedSigners::parse(&line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_pattern_is_nobodys_name() {
        for principals in ["*", "*@example.com", "ada,!bob", "ad?"] {
            assert!(why(&format!("{principals} {}", key())).contains("is a pattern"), "{principals}");
        }
    }

    #[test]
    fn a_comment_makes_no_other_key() {
        let key = key();
        let signers = AllowedSigners::parse(&format!("ada {key} ada's laptop")).unwrap();
        assert_eq!(signers.principals(&key, "x"), [Principal("ada".into())]);
        assert_eq!(
            VerifyingKey::parse(&format!("{key} one")).unwrap(),
            VerifyingKey::parse(&key.to_string()).unwrap()
        );
    }

    #[test]
    fn namespaces_are_patterns_as_openssh_has_them() {
        let key = key();
        for (list, namespace, allowed) in [
            ("infraflow-approval", "infraflow-approval", true),
            ("infraflow-approval", "infraflow-approval2", false),
            ("infraflow-*", "infraflow-approval", true),
            ("infraflow-*,!infraflow-approval", "infraflow-approval", false),
            ("!infraflow-approval", "infraflow-manifest", false),
            ("git,infraflow-?anifest", "infraflow-manifest", true),
            ("", "infraflow-manifest", false),
        ] {
            let signers = AllowedSigners::parse(&format!("ada NameSpaces=\"{list}\" {key}")).unwrap();
            assert_eq!(!signers.principals(&key, namespace).is_empty(), allowed, "{list} {namespace}");
        }
    }

    #[test]
    fn a_line_with_a_time_holds_within_it_and_never_without_a_clock() {
        let key = key();
        let line = format!("ada valid-after=\"20260101Z\",valid-before=\"202601311200Z\" {key}");
        let signers = AllowedSigners::parse(&line).unwrap();
        assert!(signers.principals(&key, "x").is_empty());
        assert!(signers.why_not(&key, "x").contains("what time it is"));
        for (at, allowed) in [
            ("2025-12-31T23:59:59Z", false),
            ("2026-01-01T00:00:00Z", true),
            ("2026-01-31T12:00:00Z", true),
            ("2026-01-31T12:00:01Z", false),
        ] {
            let then = signers.at(Timestamp::parse(at).unwrap());
            assert_eq!(!then.principals(&key, "x").is_empty(), allowed, "{at}");
        }
    }

    #[test]
    fn stars_match_any_run_of_bytes() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*b*c", "aXbXbc", true),
            ("a*b*c", "aXbXb", false),
            ("**a", "ba", true),
            ("?", "", false),
            ("a", "ab", false),
        ] {
            assert_eq!(matches(text.as_bytes(), pattern.as_bytes()), expected, "{pattern} {text}");
        }
    }
}
