//! The single values that a value can be.

use crate::terraform::facts::StaticValue;

/// The most paths that one expression can stand for before it is taken for anything at all.
const MAX_ALTERNATIVES: usize = 256;

/// Each single value that a value can be; [`StaticValue::Unknown`] stands for the rest where there are too
/// many.
pub(super) fn alternatives(value: StaticValue) -> Vec<StaticValue> {
    if branches(&value) { each_alternative(value) } else { vec![value] }
}

/// Whether a value can be several single ones.
fn branches(value: &StaticValue) -> bool {
    match value {
        StaticValue::OneOf(_) => true,
        StaticValue::Concat(parts) => parts.iter().any(branches),
        StaticValue::Directory(inner)
        | StaticValue::FileName(inner)
        | StaticValue::Contents(inner)
        | StaticValue::Decoded(inner, _)
        | StaticValue::FileSet(_, inner) => branches(inner),
        _ => false,
    }
}

fn each_alternative(value: StaticValue) -> Vec<StaticValue> {
    let each = |inner: StaticValue, make: &dyn Fn(Box<StaticValue>) -> StaticValue| {
        each_alternative(inner).into_iter().map(|inner| make(Box::new(inner))).collect()
    };
    let mut found: Vec<StaticValue> = match value {
        StaticValue::OneOf(values) => values.into_iter().flat_map(each_alternative).collect(),
        StaticValue::Concat(parts) => {
            let mut all = vec![Vec::with_capacity(parts.len())];
            for part in parts {
                let mut parts = each_alternative(part);
                if all.len() * parts.len() > MAX_ALTERNATIVES {
                    parts = vec![StaticValue::Unknown];
                }
                // To copy what stands before for each of thousands of parts would take their square.
                if parts.len() == 1 {
                    match all.as_mut_slice() {
                        [before] => before.append(&mut parts),
                        all => all.iter_mut().for_each(|before| before.extend_from_slice(&parts)),
                    }
                    continue;
                }
                all = all
                    .iter()
                    .flat_map(|before| {
                        parts.iter().map(move |part| {
                            let mut parts = before.clone();
                            parts.push(part.clone());
                            parts
                        })
                    })
                    .collect();
            }
            all.into_iter().map(StaticValue::concat).collect()
        }
        StaticValue::Directory(inner) => each(*inner, &StaticValue::Directory),
        StaticValue::FileName(inner) => each(*inner, &StaticValue::FileName),
        StaticValue::Contents(path) => each(*path, &StaticValue::Contents),
        StaticValue::Decoded(path, steps) => each(*path, &|path| StaticValue::Decoded(path, steps.clone())),
        StaticValue::FileSet(directory, globs) => {
            each(*globs, &|glob| StaticValue::FileSet(directory.clone(), glob))
        }
        other => return vec![other],
    };
    found.sort();
    found.dedup();
    if found.len() > MAX_ALTERNATIVES {
        found = vec![StaticValue::Unknown];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_choices_followed_by_many_parts_end_soon() {
        let choice =
            StaticValue::OneOf(vec![StaticValue::Literal("a".into()), StaticValue::Literal("b".into())]);
        let mut parts = vec![choice; 20];
        parts.extend((0..4_000).map(|_| StaticValue::Unknown));
        let start = std::time::Instant::now();
        let found = alternatives(StaticValue::Concat(parts));
        assert!(found.len() <= MAX_ALTERNATIVES && !found.is_empty());
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }
}
