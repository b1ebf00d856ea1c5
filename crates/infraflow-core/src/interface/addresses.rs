use std::collections::{BTreeMap, BTreeSet};

use super::{
    Declared, Interface,
    compare::{Found, rule},
};
use crate::{
    proof::Link,
    terraform::facts::{Move, Repetition},
};

pub(super) fn compare(old: &Interface, new: &Interface, found: &mut Found<'_>) {
    let moves = Moves::of(new);
    let (before, after) = (addresses(old), addresses(new));
    for (address, (repetition, link)) in &before {
        match after.get(address) {
            Some((now, link)) => {
                if !keeps_instances(*repetition, *now) && !moves.leaves(address) {
                    found.add(
                        rule!("address_repeated_otherwise"),
                        link.clone(),
                        format!("the instances of {address} are addressed by {} now", name_of(*now)),
                    );
                }
            }
            None => removed(address, link, new, &moves, found),
        }
    }
    compare_moves(old, new, &moves, found);
    compare_calls(old, new, found);
}

/// The addresses that states of callers hold, without instance keys.
fn addresses(interface: &Interface) -> BTreeMap<String, (Repetition, Link)> {
    let resources = interface
        .resources
        .iter()
        .map(|(address, declared)| (address.clone(), (declared.item, declared.link(address.as_str()))));
    let calls = interface.calls.iter().map(|(name, declared)| {
        let address = format!("module.{name}");
        let link = declared.link(address.as_str());
        (address, (declared.item.repetition, link))
    });
    resources.chain(calls).collect()
}

/// Whether Terraform keeps the instances by itself: it moves a single one to `[0]` and back.
fn keeps_instances(old: Repetition, new: Repetition) -> bool {
    matches!(
        (old, new),
        (Repetition::Single | Repetition::Count, Repetition::Single | Repetition::Count)
            | (Repetition::ForEach, Repetition::ForEach)
    )
}

fn name_of(repetition: Repetition) -> &'static str {
    match repetition {
        Repetition::Single => "nothing",
        Repetition::Count => "count",
        Repetition::ForEach => "for_each",
    }
}

fn removed(address: &str, link: &Link, new: &Interface, moves: &Moves<'_>, found: &mut Found<'_>) {
    if let Some(target) = moves.follow(address).filter(|target| moves.exists(target)) {
        let text = format!("{address} was moved to {target}");
        found.add(rule!("address_moved"), link.clone(), text);
    } else if new.removed.iter().any(|block| base(&block.item.from) == address) {
        let text = format!("{address} is declared as removed");
        found.add(rule!("address_removed_declared"), link.clone(), text);
    } else {
        let text = match moves.follow(address) {
            Some(target) => format!("{address} is gone: it was moved to {target}, which there is not"),
            None => format!("{address} is gone without a moved or removed block"),
        };
        found.add(rule!("address_removed"), link.clone(), text);
    }
}

fn compare_moves(old: &Interface, new: &Interface, moves: &Moves<'_>, found: &mut Found<'_>) {
    let key = |declared: &Declared<Move>| (normal(&declared.item.from), normal(&declared.item.to));
    let known: BTreeSet<_> = old.moved.iter().map(key).collect();
    let mut from_to: BTreeMap<String, String> = BTreeMap::new();
    let mut to_from: BTreeMap<String, String> = BTreeMap::new();
    for declared in &new.moved {
        let (from, to) = key(declared);
        let link = declared.link(format!("moved {from}"));
        let fresh = !known.contains(&(from.clone(), to.clone()));
        if fresh && is_module(&from) != is_module(&to) {
            let text = format!("{from} and {to} are not both modules, nor both resources");
            found.add(rule!("moved_invalid"), link.clone(), text);
        }
        let twice = [(&mut from_to, &from, &to), (&mut to_from, &to, &from)]
            .into_iter()
            .any(|(map, a, b)| map.insert(a.clone(), b.clone()).is_some_and(|earlier| earlier != *b));
        if fresh && twice {
            let text = format!("{from} or {to} stands in more than one moved block");
            found.add(rule!("moved_ambiguous"), link.clone(), text);
        }
        if fresh && moves.is_circular(&base(&from)) {
            found.add(rule!("moved_in_a_circle"), link, format!("{from} is moved in a circle"));
        }
    }
    let old_moves = Moves::of(old);
    for declared in &old.moved {
        let from = base(&declared.item.from);
        let kept = moves.follow(&from).is_some_and(|target| moves.exists(&target));
        let lives_on = old_moves.follow(&from).is_some_and(|target| moves.exists(&target));
        if !kept && lives_on {
            found.add(
                rule!("moved_removed"),
                declared.link(format!("moved {from}")),
                format!("the move of {from} was taken out"),
            );
        }
    }
}

fn compare_calls(old: &Interface, new: &Interface, found: &mut Found<'_>) {
    for (name, call) in &old.calls {
        let Some(now) = new.calls.get(name) else { continue };
        let link = || now.link(format!("module.{name}"));
        if let (Some(a), Some(b)) = (&call.item.source, &now.item.source)
            && a.value != b.value
        {
            let text = format!("module.{name} calls {} instead of {}", b.value, a.value);
            found.add(rule!("call_source_changed"), link(), text);
        }
        let version = |text: &Option<crate::terraform::facts::Text>| text.as_ref().map(|t| t.value.clone());
        if version(&call.item.version) != version(&now.item.version) {
            let text = format!("module.{name} asks for another version of what it calls");
            found.add(rule!("call_version_changed"), link(), text);
        }
    }
}

/// The moves of an interface, and what they lead to.
struct Moves<'a> {
    interface: &'a Interface,
    by_from: BTreeMap<String, String>,
}

impl<'a> Moves<'a> {
    fn of(interface: &'a Interface) -> Self {
        let pairs =
            interface.moved.iter().map(|declared| (base(&declared.item.from), base(&declared.item.to)));
        // Moves between instances of one address change nothing about which addresses there are.
        Self { interface, by_from: pairs.filter(|(from, to)| from != to).collect() }
    }

    /// Where an address is moved in the end; `None` where nothing moves it.
    fn follow(&self, address: &str) -> Option<String> {
        let mut at = self.by_from.get(address)?;
        for _ in 0..self.by_from.len() {
            match self.by_from.get(at) {
                Some(next) => at = next,
                None => break,
            }
        }
        Some(at.clone())
    }

    fn is_circular(&self, address: &str) -> bool {
        let mut at = address;
        for _ in 0..=self.by_from.len() {
            match self.by_from.get(at) {
                Some(next) if next == address => return true,
                Some(next) => at = next,
                None => return false,
            }
        }
        false
    }

    /// Whether any move begins at an address or at one of its instances.
    fn leaves(&self, address: &str) -> bool {
        self.interface.moved.iter().any(|declared| base(&declared.item.from) == address)
    }

    /// Whether an address is declared here; of one within a called module, the call is.
    fn exists(&self, address: &str) -> bool {
        match address.strip_prefix("module.") {
            Some(rest) => {
                let name = rest.split('.').next().unwrap_or_default();
                self.interface.calls.contains_key(name)
            }
            None => self.interface.resources.contains_key(address),
        }
    }
}

fn normal(address: &str) -> String {
    address.split_whitespace().collect()
}

/// An address without its instance keys.
fn base(address: &str) -> String {
    let mut out = String::with_capacity(address.len());
    let mut rest = address;
    while let Some(open) = rest.find('[') {
        out.push_str(&rest[..open]);
        rest = rest[open..].find(']').map_or("", |close| &rest[open + close + 1..]);
    }
    out.push_str(rest);
    normal(&out)
}

fn is_module(address: &str) -> bool {
    let base = base(address);
    let names: Vec<&str> = base.split('.').collect();
    names.len().is_multiple_of(2) && names.iter().step_by(2).all(|name| *name == "module")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instance_keys_are_left_out() {
        assert_eq!(base("module.a[\"x.y\"].aws_x.b[0]"), "module.a.aws_x.b");
        assert!(is_module("module.a[0].module.b") && !is_module("module.a.aws_x.b") && !is_module("aws_x.b"));
    }
}
