use super::{
    Declared, Interface,
    compare::{Found, rule},
};
use crate::{
    address::{ModuleConstraint, ProviderConstraint},
    proof::Link,
    terraform::facts::RequiredProvider,
};

pub(super) fn compare(old: &Interface, new: &Interface, found: &mut Found<'_>) {
    compare_required_version(old, new, found);
    for (name, provider) in &old.providers {
        let subject = format!("provider.{name}");
        match new.providers.get(name) {
            None => found.add(
                rule!("provider_removed"),
                provider.link(subject),
                format!("the provider {name} is no longer required"),
            ),
            Some(now) => compare_provider(provider, now, &subject, found),
        }
    }
    for (name, provider) in &new.providers {
        if old.providers.contains_key(name) {
            continue;
        }
        let link = provider.link(format!("provider.{name}"));
        for alias in &provider.item.configuration_aliases {
            found.add(
                rule!("provider_alias_added"),
                link.clone(),
                format!("callers must pass the provider configuration {alias}"),
            );
        }
        if new.used_providers.contains(name) && !old.used_providers.contains(name) {
            found.add(rule!("provider_added"), link, format!("the provider {name} is required now"));
        } else {
            found.add(
                rule!("provider_added_unused"),
                link,
                format!("the provider {name} is named among the requirements now"),
            );
        }
    }
    for (subject, link) in &new.doubled {
        if !old.doubled.contains_key(subject) {
            found.add(rule!("declared_twice"), link.clone(), format!("{subject} is declared twice"));
        }
    }
}

fn compare_required_version(old: &Interface, new: &Interface, found: &mut Found<'_>) {
    let read = |interface: &Interface| -> Option<Vec<ModuleConstraint>> {
        let texts = interface.required_version.iter();
        texts.map(|text| ModuleConstraint::parse_required_version(&text.item.value).ok()).collect()
    };
    let Some(place) = new.required_version.first() else { return };
    let same = old
        .required_version
        .iter()
        .map(|text| &text.item.value)
        .eq(new.required_version.iter().map(|text| &text.item.value));
    if same {
        return;
    }
    let link = place.link("required_version");
    match (read(old), read(new)) {
        (Some(before), Some(after)) => {
            if let Some(version) = ModuleConstraint::excluded(&before, &after) {
                found.add_for_some(
                    rule!("required_version_narrowed"),
                    link,
                    format!("required_version excludes {version}, which it allowed"),
                );
            }
        }
        (_, None) => found.add(
            rule!("required_version_narrowed"),
            link,
            "required_version is no constraint that Terraform reads".to_owned(),
        ),
        (None, Some(_)) => {}
    }
}

fn compare_provider(
    old: &Declared<RequiredProvider>,
    new: &Declared<RequiredProvider>,
    subject: &str,
    found: &mut Found<'_>,
) {
    let name = &new.item.name;
    let link = || -> Link { new.link(subject) };
    let source = |provider: &RequiredProvider| full_source(provider);
    if source(&old.item) != source(&new.item) {
        found.add(
            rule!("provider_source_changed"),
            link(),
            format!("the provider {name} comes from {} instead of {}", source(&new.item), source(&old.item)),
        );
    }
    let text = |provider: &RequiredProvider| {
        provider.version.as_ref().map(|text| text.value.clone()).unwrap_or_default()
    };
    let (before, after) = (text(&old.item), text(&new.item));
    if before != after {
        match (ProviderConstraint::parse(&before), ProviderConstraint::parse(&after)) {
            (Ok(before), Ok(after)) => {
                if let Some(version) = before.excluded_by(&after) {
                    found.add_for_some(
                        rule!("provider_version_narrowed"),
                        link(),
                        format!("the provider {name} may no longer be {version}"),
                    );
                }
            }
            (_, Err(_)) => found.add(
                rule!("provider_version_narrowed"),
                link(),
                format!("the version of the provider {name} is no constraint that Terraform reads"),
            ),
            (Err(_), Ok(_)) => {}
        }
    }
    let (before, after) = (&old.item.configuration_aliases, &new.item.configuration_aliases);
    for alias in after.iter().filter(|alias| !before.contains(alias)) {
        found.add(
            rule!("provider_alias_added"),
            link(),
            format!("callers must pass the provider configuration {alias}"),
        );
    }
    for alias in before.iter().filter(|alias| !after.contains(alias)) {
        found.add(
            rule!("provider_alias_removed"),
            link(),
            format!("the provider configuration {alias} is no longer taken"),
        );
    }
}

/// `HOST/NAMESPACE/TYPE`, with what Terraform fills in where it is left out.
fn full_source(provider: &RequiredProvider) -> String {
    let written = provider.source.as_ref().map_or(provider.name.as_str(), |text| &text.value);
    match written.split('/').count() {
        1 => format!("registry.terraform.io/hashicorp/{written}"),
        2 => format!("registry.terraform.io/{written}"),
        _ => written.to_owned(),
    }
    .to_ascii_lowercase()
}
