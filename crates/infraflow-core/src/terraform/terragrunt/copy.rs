//! What of the files beside a unit is not laid over the copy of the module that it runs (internal/util/file.go,
//! `CopyFolderContents`; internal/runner/run/download_source.go, 1.1.3).

use super::{evaluate::Evaluation, value::Value};

/// Hidden files, and whatever stands in hidden directories.
const HIDDEN: [&str; 2] = ["**/.*", "**/.*/**"];

/// The most patterns that are told.
const MOST: usize = 64;

impl Evaluation<'_> {
    /// Globs in the manner of `fileset`, of paths from the unit's directory. Whatever `include_in_copy` asks for may be
    /// anything hidden; of `exclude_from_copy` counts what is certain to be left out.
    pub(super) fn left_out(&mut self, frames: &[usize]) -> Vec<String> {
        let included = self.copied_as(frames, "include_in_copy").is_some();
        // Of two that are merged shallowly, what the included one excludes counts alone; merged deeply, both do
        // (pkg/config/include.go, `Merge` and `DeepMerge`).
        let has_block = |frame: &usize| self.frames[*frame].file.body.blocks("terraform").next().is_some();
        let with_block: Vec<usize> = frames.iter().copied().filter(has_block).collect();
        let certain = match with_block.as_slice() {
            [one] | [_, one] => std::slice::from_ref(one),
            _ => &[],
        };
        let excluded = self.copied_as(certain, "exclude_from_copy");
        let mut globs: Vec<String> = Vec::new();
        if !included {
            globs.extend(HIDDEN.map(str::to_owned));
        }
        if let Some(Value::List(patterns)) = excluded {
            for pattern in patterns.iter().take(MOST) {
                if let Value::Text(pattern) = pattern {
                    globs.extend(left_out_by(pattern));
                }
            }
        }
        globs
    }

    /// The argument of the configuration that wins.
    fn copied_as(&mut self, frames: &[usize], name: &str) -> Option<Value> {
        frames.iter().find_map(|&frame| {
            let file = std::sync::Arc::clone(&self.frames[frame].file);
            let attribute = file.body.blocks("terraform").find_map(|block| block.body.attribute(name));
            attribute.map(|attribute| self.apart(|this| this.eval(frame, &attribute.value)))
        })
    }
}

/// What a pattern leaves out for certain, by both libraries that Terragrunt may match it with (`fast-copy`): the files,
/// and whatever stands in directories of that name. `**/` may mean no directory for one of them alone.
fn left_out_by(pattern: &str) -> Vec<String> {
    let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./*".contains(c);
    let names: Vec<&str> = pattern.split('/').collect();
    let is_name = |name: &&str| !name.is_empty() && *name != "." && *name != ".." && !name.contains("**");
    let (deep, rest) = match names.as_slice() {
        ["**", rest @ ..] => (true, rest),
        all => (false, all),
    };
    let (below, rest) = match rest {
        [rest @ .., "**"] => (true, rest),
        all => (false, all),
    };
    if !pattern.chars().all(plain) || rest.is_empty() || !rest.iter().all(is_name) {
        return Vec::new();
    }
    let start = if deep { "*/**/" } else { "" };
    let path = rest.join("/");
    let inner = format!("{start}{path}/**");
    if below { vec![inner] } else { vec![format!("{start}{path}"), inner] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_patterns_counts_what_is_certain_to_be_left_out() {
        for (pattern, globs) in [
            ("sub", &["sub", "sub/**"][..]),
            ("./sub/*.md", &["sub/*.md", "sub/*.md/**"]),
            ("**/*.md", &["*/**/*.md", "*/**/*.md/**"]),
            ("docs/**", &["docs/**"]),
            ("**", &[]),
            ("a/**/b", &[]),
            ("../a", &[]),
            ("/a", &[]),
            ("a//b", &[]),
            ("{a,b}", &[]),
            ("[ab]", &[]),
            ("", &[]),
        ] {
            assert_eq!(left_out_by(pattern), globs, "{pattern}");
        }
    }
}
