//! Blocks that can state nothing are passed over: most resources name no file. It is found where they end, and
//! nothing in them is cut.

use super::{
    sieve,
    slice::{Knife, marked},
};

/// Bytes between braces that may mean more than themselves.
const PLAIN_IN_BLOCK: [bool; 256] = marked(b"\"{}#/<", false);

/// Whether a block of a file is asked for nothing but the files that it reads or names.
pub(super) fn may_be_passed(kind: &str, labels: &[&str]) -> bool {
    match kind {
        "module" | "provider" | "terraform" | "locals" => false,
        "data" => labels.first() != Some(&"terraform_remote_state"),
        _ => true,
    }
}

/// So far it is looked for what follows the ends of values within values: each of a hundred thousand asks.
const LONGEST_LOOK: usize = 256;

impl Knife<'_> {
    /// Goes to the `}` of a block, told behind its `{`, where it reads and names no file, and says whether it
    /// does not. `None` where it is not certain how to cut.
    pub(super) fn passes_over_body(&mut self) -> Option<bool> {
        let begin = self.at;
        let (mut depth, mut goes_on) = (0_usize, false);
        loop {
            self.skip(&PLAIN_IN_BLOCK);
            match self.peek()? {
                b'"' => self.string(0)?,
                b'#' => self.line_comment(),
                b'/' if self.starts(b"//") => self.line_comment(),
                b'/' if self.starts(b"/*") => self.long_comment()?,
                b'<' if self.starts(b"<<") => self.heredoc()?,
                b'}' if depth == 0 => break,
                b'}' => {
                    depth -= 1;
                    self.at += 1;
                    goes_on |= self.is_taken_from();
                }
                b'{' => {
                    depth += 1;
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
        Some(!sieve::may_count_in_block(&self.bytes[begin..self.at], goes_on))
    }

    /// Whether something is taken out of the value that ends here, or out of one around it.
    fn is_taken_from(&self) -> bool {
        let rest = &self.bytes[self.at..];
        let near = &rest[..rest.len().min(LONGEST_LOOK)];
        match near.iter().find(|byte| !b" \t\r\n)]}".contains(byte)) {
            Some(byte) => b".[".contains(byte),
            // It may be.
            None => near.len() < rest.len(),
        }
    }
}
