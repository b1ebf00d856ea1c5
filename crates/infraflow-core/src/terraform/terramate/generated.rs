//! Whether generated code is kept in the repository.

/// Whether a `.gitignore` keeps files with code out of the repository that somebody must then generate. What
/// Terraform projects commonly ignore (state, values, local overrides, the working folder) is no such code.
pub(crate) fn hides_generated_code(gitignore: &[u8]) -> bool {
    String::from_utf8_lossy(gitignore).lines().map(str::trim).any(|line| {
        let name = line.rsplit('/').next().unwrap_or_default();
        let code = [".tf", ".tf.json", ".tofu", ".tofu.json"].iter().any(|ending| name.ends_with(ending));
        code && !line.starts_with(['#', '!']) && !name.contains("override.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gitignore_that_hides_code_is_told_from_the_common_one() {
        for hides in ["_generated.tf", "stacks/**/_*.tf", "*_terramate.tf.json", "a\n/stacks/*/backend.tf\n"]
        {
            assert!(hides_generated_code(hides.as_bytes()), "{hides}");
        }
        let common =
            "**/.terraform/*\n*.tfstate\n*.tfstate.*\n*.tfvars\noverride.tf\n*_override.tf.json\n# _x.tf\n";
        assert!(!hides_generated_code(common.as_bytes()));
        assert!(!hides_generated_code(b"*_override.tf\n!_generated.tf\n.terraform.lock.hcl\n"));
    }
}
