//! What an apply said it was doing: which addresses it began with and did not finish.

use std::collections::BTreeSet;

/// What the tools write when they begin and end something (hook_ui.go of both; the texts are the same).
const BEGUN: [(&str, Doing); 3] =
    [(": Creating...", Doing::Create), (": Modifying...", Doing::Update), (": Destroying...", Doing::Delete)];
const ENDED: [(&str, Doing); 3] = [
    (": Creation complete after ", Doing::Create),
    (": Modifications complete after ", Doing::Update),
    (": Destruction complete after ", Doing::Delete),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Doing {
    Create,
    Update,
    Delete,
}

/// The addresses, of those that a plan has, which an apply began with and did not end, by its output.
///
/// Lines of anything else, such as of a provisioner that imitates them, are about no address of the plan: the
/// tool puts the name of its resource before each.
pub(super) fn in_flight<'a>(output: &str, addresses: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let known: BTreeSet<&str> = addresses.into_iter().collect();
    let mut flying = BTreeSet::new();
    for line in output.lines() {
        if let Some(what) = said(line, &BEGUN, &known) {
            flying.insert(what);
        } else if let Some(what) = said(line, &ENDED, &known) {
            flying.remove(&what);
        }
    }
    let mut found: Vec<String> = flying.into_iter().map(|(address, _)| address.to_owned()).collect();
    found.dedup();
    found
}

fn said<'a>(line: &'a str, words: &[(&str, Doing)], known: &BTreeSet<&str>) -> Option<(&'a str, Doing)> {
    words.iter().find_map(|(word, doing)| {
        // The word may stand in the key of an instance, too: the one after a known address counts.
        line.match_indices(word).find_map(|(at, _)| {
            let subject = &line[..at];
            let address = subject.split_once(" (deposed object ").map_or(subject, |(address, _)| address);
            known.contains(address).then_some((address, *doing))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flying(output: &str) -> Vec<String> {
        let odd = "terraform_data.b[\"x: Creating... (y\"]";
        in_flight(output, ["terraform_data.a", odd, "module.m.terraform_data.c"])
    }

    #[test]
    fn what_began_and_did_not_end_is_in_flight() {
        let output = "terraform_data.a: Creating...\nterraform_data.a: Provisioning with 'local-exec'...\n\
            module.m.terraform_data.c: Modifying... [id=1]\nterraform_data.a: Still creating... [10s elapsed]\n\
            module.m.terraform_data.c: Modifications complete after 0s [id=1]\n";
        assert_eq!(flying(output), ["terraform_data.a"]);
    }

    #[test]
    fn a_replacement_that_stands_still_between_its_halves_is_not_in_flight() {
        let output =
            "terraform_data.a: Destroying... [id=1]\nterraform_data.a: Destruction complete after 0s\n";
        assert!(flying(output).is_empty());
        assert_eq!(flying(&format!("{output}terraform_data.a: Creating...\n")), ["terraform_data.a"]);
    }

    #[test]
    fn a_deposed_object_is_in_flight_under_its_address() {
        let output = "terraform_data.a (deposed object 1a2b): Destroying... [id=1]\n";
        assert_eq!(flying(output), ["terraform_data.a"]);
        let ended =
            format!("{output}terraform_data.a (deposed object 1a2b): Destruction complete after 1s\n");
        assert!(flying(&ended).is_empty());
    }

    #[test]
    fn a_provisioner_that_imitates_the_tool_ends_nothing() {
        let output = "terraform_data.a: Creating...\n\
            terraform_data.a (local-exec): terraform_data.a: Creation complete after 0s [id=1]\n";
        assert_eq!(flying(output), ["terraform_data.a"]);
    }

    #[test]
    fn an_odd_instance_key_is_read_whole() {
        let output = "terraform_data.b[\"x: Creating... (y\"]: Creating...\n";
        assert_eq!(flying(output), ["terraform_data.b[\"x: Creating... (y\"]"]);
    }
}
