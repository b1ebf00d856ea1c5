//! The patterns of `stack_filter`.

/// Whether a pattern matches a stack's path, which begins with `/`. A pattern that begins with neither `/` nor
/// `*` may begin anywhere; `*` stays within a name, `**` does not. `None` where it has signs of which nothing is
/// known here.
///
/// Source: <https://terramate.io/docs/code-generation/stack-filter>, and `parseStackFilterAttr` of Terramate 0.17.
pub(crate) fn matches_stack(pattern: &str, path: &str) -> Option<bool> {
    const LONGEST: usize = 1_024;
    if pattern.contains(['[', ']', '!', '\\']) || pattern.len() > LONGEST || path.len() > LONGEST {
        return None;
    }
    let anywhere = !pattern.starts_with(['*', '/']);
    let pattern = if anywhere { format!("**/{pattern}") } else { pattern.to_owned() };
    let (pattern, path) = (pattern.as_bytes(), path.as_bytes());
    // Which ends of the path's beginnings a beginning of the pattern can match.
    let mut ends = vec![false; path.len() + 1];
    ends[0] = true;
    let mut at = 0;
    while at < pattern.len() {
        let mut next = vec![false; path.len() + 1];
        let any = pattern[at..].starts_with(b"**");
        match pattern[at] {
            b'*' => {
                let mut reached = false;
                for end in 0..=path.len() {
                    // A single star does not go past a slash.
                    reached = ends[end] || (reached && (any || path[end - 1] != b'/'));
                    next[end] = reached;
                }
            }
            sign => {
                for end in 1..=path.len() {
                    let same = if sign == b'?' { path[end - 1] != b'/' } else { path[end - 1] == sign };
                    next[end] = ends[end - 1] && same;
                }
            }
        }
        at += if any { 2 } else { 1 };
        ends = next;
    }
    ends.last().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_terramate_has_it() {
        for (pattern, path, matches) in [
            ("/live/prod/**", "/live/prod/net", true),
            ("/live/prod/**", "/live/prod/net/deep", true),
            ("/live/prod/**", "/live/dev/net", false),
            ("/live/*", "/live/prod", true),
            ("/live/*", "/live/prod/net", false),
            ("prod", "/live/prod", true),
            ("prod/*", "/live/prod/net", true),
            ("prod", "/live/preprod", false),
            ("**/net", "/live/prod/net", true),
            ("*", "/live", false),
            ("/live/pro?", "/live/prod", true),
            ("/live/{a,b}", "/live/a", false),
            ("**", "/", true),
        ] {
            assert_eq!(matches_stack(pattern, path), Some(matches), "{pattern} {path}");
        }
        assert_eq!(matches_stack("/live/[ab]", "/live/a"), None);
    }
}
