//! From the parsed text of one file to its facts.

use hcl_edit::expr::Expression;

use super::{
    Backend, Defined, FileFacts, ImportBlock, Local, ModuleCall, Move, Output, ProviderBlock, Removal,
    Repetition, RequiredProvider, Resource, ResourceMode, StateRead, StaticValue, Variable,
    evaluate::{Scope, evaluate},
    json::JsonValue,
    left_out::{filling, is_set, members_left_out},
    named::Naming,
    reads::Reads,
    source::Source,
    view::{Attribute, Block, Body, Expr},
};

/// The arguments of a module block that are no input of the module.
const META: [&str; 7] = ["source", "version", "providers", "depends_on", "count", "for_each", "lifecycle"];

/// Configuration: `.tf` and its kin.
pub(super) fn configuration(body: Body<'_>, source: &Source<'_>) -> FileFacts {
    let mut facts = FileFacts {
        variables: body.blocks("variable", 1).iter().map(|block| variable(block, source)).collect(),
        outputs: body.blocks("output", 1).iter().map(|block| output(block, source)).collect(),
        locals: locals(body, source, &|_| true),
        moved: body.blocks("moved", 0).iter().filter_map(|block| moved(block, source)).collect(),
        imports: body.blocks("import", 0).iter().filter_map(|block| import(block, source)).collect(),
        removed: body.blocks("removed", 0).iter().filter_map(|block| removed(block, source)).collect(),
        ..stated(body, source)
    };
    for settings in body.blocks("terraform", 0) {
        facts.required_version.extend(settings.body.text("required_version", source));
        for block in settings.body.blocks("required_providers", 0) {
            facts
                .required_providers
                .extend(block.body.attributes().iter().map(|attribute| required(attribute, source)));
        }
    }
    for (kind, mode) in [
        ("resource", ResourceMode::Managed),
        ("data", ResourceMode::Data),
        ("ephemeral", ResourceMode::Ephemeral),
    ] {
        for block in body.blocks(kind, 2) {
            facts.resources.push(Resource {
                mode,
                resource_type: label(&block, 0),
                name: label(&block, 1),
                place: source.place(block.header.clone()),
                repetition: repetition(block.body),
            });
        }
    }
    facts
}

/// Of configuration, what says where it belongs and what it depends on.
pub(super) fn stated(body: Body<'_>, source: &Source<'_>) -> FileFacts {
    let mut facts = FileFacts {
        calls: body.blocks("module", 1).iter().map(|block| call(block, source)).collect(),
        providers: body.blocks("provider", 1).iter().map(|block| provider(block, source)).collect(),
        reads: reads(body, source),
        ..FileFacts::default()
    };
    for settings in body.blocks("terraform", 0) {
        for block in settings.body.blocks("backend", 1) {
            facts.backends.push(backend(label(&block, 0), &block, source));
        }
        for block in settings.body.blocks("cloud", 0) {
            facts.backends.push(backend("cloud".to_owned(), &block, source));
        }
    }
    let reads_state = |block: &Block<'_>| block.labels.first() == Some(&"terraform_remote_state");
    for block in body.blocks("data", 2).iter().filter(|block| reads_state(block)) {
        let config = block.body.attribute("config").map(|config| evaluate(config, &Scope::default()));
        facts.states.push(StateRead {
            name: label(block, 1),
            place: source.place(block.header.clone()),
            kind: block.body.text("backend", source).map(|text| text.value),
            settings: match config {
                Some(StaticValue::Object(members)) => members,
                _ => Vec::new(),
            },
        });
    }
    facts
}

fn backend(kind: String, block: &Block<'_>, source: &Source<'_>) -> Backend {
    let values = |body: Body<'_>| -> Vec<(String, StaticValue)> {
        let attributes = body.attributes().into_iter();
        attributes
            .map(|attribute| (attribute.name.to_owned(), evaluate(attribute.expression, &Scope::default())))
            .collect()
    };
    let mut settings = values(block.body);
    if let Some(workspaces) = block.body.blocks("workspaces", 0).first() {
        settings.retain(|(name, _)| name != "workspaces");
        settings.push(("workspaces".to_owned(), StaticValue::Object(values(workspaces.body))));
    }
    Backend { kind, place: source.place(block.header.clone()), settings }
}

/// Of configuration, the names that it gives to values, as far as they are wanted.
pub(super) fn defined(body: Body<'_>, source: &Source<'_>, wanted: &dyn Fn(&str) -> bool) -> Defined {
    let mut variables = body.blocks("variable", 1);
    variables.retain(|block| block.labels.first().is_some_and(|name| wanted(name)));
    let defaults = variables.iter().filter_map(|block| {
        let attributes = block.body.attributes();
        let default = attributes.iter().find(|attribute| attribute.name == "default")?;
        let mut default = Local { name: label(block, 0), ..local(default, source, &Scope::default()) };
        let kind = block.body.attribute("type");
        if kind.as_ref().is_some_and(|kind| is_set(kind)) {
            default.value = default.value.unordered();
        }
        if let Some(members) = kind.and_then(members_left_out) {
            default.value = default.value.with_members_left_out(&members);
        }
        Some(default)
    });
    let left_out = variables.iter().filter_map(|block| {
        let kind = block.body.attribute("type")?;
        let place = source.place(kind.span());
        Some(Local { name: label(block, 0), value: filling(kind)?, place })
    });
    Defined {
        locals: locals(body, source, wanted),
        defaults: defaults.collect(),
        left_out: left_out.collect(),
    }
}

/// What all `locals` blocks are written as, one after the other; `None` where that is not certain.
pub(super) fn text_of_locals(body: Body<'_>, source: &Source<'_>) -> Option<String> {
    if !matches!(body, Body::Sliced(_)) {
        return None;
    }
    let mut text = String::new();
    for block in body.blocks("locals", 0) {
        let end = block.body.end()?;
        text.push_str(source.text.get(block.header.start..=end)?);
        text.push('\n');
    }
    Some(text)
}

fn locals(body: Body<'_>, source: &Source<'_>, wanted: &dyn Fn(&str) -> bool) -> Vec<Local> {
    let blocks = body.blocks("locals", 0);
    let attributes = blocks.iter().flat_map(|block| block.body.attributes());
    attributes
        .filter(|attribute| wanted(attribute.name))
        .map(|attribute| local(&attribute, source, &Scope::default()))
        .collect()
}

/// A test file: its runs call modules, and its variables are given.
pub(super) fn test(body: Body<'_>, source: &Source<'_>) -> FileFacts {
    let mut facts = FileFacts::default();
    for run in body.blocks("run", 1) {
        for module in run.body.blocks("module", 0) {
            let named = Block { labels: run.labels.clone(), ..module };
            facts.calls.push(call(&named, source));
        }
    }
    // Those of a run are laid over those of the file.
    let runs = body.blocks("run", 1);
    let of_runs = runs.iter().flat_map(|run| run.body.blocks("variables", 0));
    for block in body.blocks("variables", 0).into_iter().chain(of_runs) {
        facts.values.extend(
            block.body.attributes().iter().map(|attribute| local(attribute, source, &Scope::default())),
        );
    }
    facts.reads = reads(body, source);
    facts
}

/// Values of variables.
pub(super) fn values(body: Body<'_>, source: &Source<'_>) -> FileFacts {
    let values =
        body.attributes().iter().map(|attribute| local(attribute, source, &Scope::default())).collect();
    FileFacts { values, ..FileFacts::default() }
}

fn label(block: &Block<'_>, at: usize) -> String {
    block.labels.get(at).copied().unwrap_or_default().to_owned()
}

fn each(body: Body<'_>) -> Scope {
    match body.attribute("for_each") {
        Some(collection) => Scope::default().with_each(&evaluate(collection, &Scope::default())),
        None => Scope::default(),
    }
}

fn repetition(body: Body<'_>) -> Repetition {
    if body.attribute("for_each").is_some() {
        Repetition::ForEach
    } else if body.attribute("count").is_some() {
        Repetition::Count
    } else {
        Repetition::Single
    }
}

fn local(attribute: &Attribute<'_>, source: &Source<'_>, scope: &Scope) -> Local {
    Local {
        name: attribute.name.to_owned(),
        place: source.place(attribute.span()),
        value: evaluate(attribute.expression, scope),
    }
}

fn call(block: &Block<'_>, source: &Source<'_>) -> ModuleCall {
    let scope = each(block.body);
    ModuleCall {
        name: label(block, 0),
        place: source.place(block.header.clone()),
        source: block.body.text("source", source),
        computed_source: computed_source(block.body, source),
        version: block.body.text("version", source),
        repetition: repetition(block.body),
        arguments: block
            .body
            .attributes()
            .iter()
            .filter(|attribute| !META.contains(&attribute.name))
            .map(|attribute| local(attribute, source, &scope))
            .collect(),
        body_end: block.body.end().map(|end| source.place(end..end).start),
    }
}

/// A source that OpenTofu evaluates early: of variables and locals, or of constants by functions.
fn computed_source(body: Body<'_>, source: &Source<'_>) -> Option<StaticValue> {
    let expression = body.attribute("source").filter(|expression| expression.text(source).is_none())?;
    let value = evaluate(expression, &Scope::default());
    (value.names_something() || matches!(value, StaticValue::Literal(_))).then_some(value)
}

fn variable(block: &Block<'_>, source: &Source<'_>) -> Variable {
    let body = block.body;
    Variable {
        name: label(block, 0),
        place: source.place(block.header.clone()),
        type_text: body.spelled("type", source),
        // In JSON a default is JSON, a string with its quotes.
        default: body.attribute("default").map(|default| source.verbatim(default.span())),
        default_value: body.attribute("default").map(|default| evaluate(default, &Scope::default())),
        nullable: body.boolean("nullable"),
        sensitive: body.boolean("sensitive"),
        ephemeral: body.boolean("ephemeral"),
        description: body.text("description", source).map(|text| text.value),
        validations: body
            .blocks("validation", 0)
            .iter()
            .filter_map(|block| block.body.spelled("condition", source))
            .collect(),
    }
}

fn output(block: &Block<'_>, source: &Source<'_>) -> Output {
    let body = block.body;
    Output {
        name: label(block, 0),
        place: source.place(block.header.clone()),
        value: body.spelled("value", source),
        sensitive: body.boolean("sensitive"),
        ephemeral: body.boolean("ephemeral"),
        description: body.text("description", source).map(|text| text.value),
    }
}

fn provider(block: &Block<'_>, source: &Source<'_>) -> ProviderBlock {
    ProviderBlock {
        name: label(block, 0),
        place: source.place(block.header.clone()),
        alias: block.body.text("alias", source).map(|text| text.value),
    }
}

fn moved(block: &Block<'_>, source: &Source<'_>) -> Option<Move> {
    Some(Move {
        from: block.body.spelled("from", source)?.value,
        to: block.body.spelled("to", source)?.value,
        place: source.place(block.header.clone()),
    })
}

fn import(block: &Block<'_>, source: &Source<'_>) -> Option<ImportBlock> {
    let to = block.body.spelled("to", source)?.value;
    Some(ImportBlock { to, place: source.place(block.header.clone()) })
}

fn removed(block: &Block<'_>, source: &Source<'_>) -> Option<Removal> {
    Some(Removal {
        from: block.body.spelled("from", source)?.value,
        destroys: block.body.blocks("lifecycle", 0).iter().find_map(|block| block.body.boolean("destroy")),
        place: source.place(block.header.clone()),
    })
}

/// A member of `required_providers`: an object, or the version alone as in Terraform 0.12.
fn required(attribute: &Attribute<'_>, source: &Source<'_>) -> RequiredProvider {
    let mut provider = RequiredProvider {
        name: attribute.name.to_owned(),
        place: source.place(attribute.span()),
        source: None,
        version: attribute.expression.text(source),
        configuration_aliases: Vec::new(),
    };
    for (name, value) in members(attribute.expression) {
        match name {
            "source" => provider.source = value.text(source),
            "version" => provider.version = value.text(source),
            "configuration_aliases" => {
                provider.configuration_aliases =
                    items(value).into_iter().map(|alias| alias.spelled(source).value).collect();
            }
            _ => {}
        }
    }
    provider
}

fn members(expression: Expr<'_>) -> Vec<(&str, Expr<'_>)> {
    match expression {
        Expr::Sliced(slice) => slice.parsed().map_or_else(Vec::new, |parsed| members(Expr::Hcl(parsed))),
        Expr::Hcl(Expression::Object(object)) => object
            .iter()
            .filter_map(|(key, value)| {
                let name = match key {
                    hcl_edit::expr::ObjectKey::Ident(name) => name.as_str(),
                    hcl_edit::expr::ObjectKey::Expression(key) => key.as_str()?,
                };
                Some((name, Expr::Hcl(value.expr())))
            })
            .collect(),
        Expr::Json(json) => {
            json.members().iter().map(|member| (member.name.as_str(), Expr::Json(&member.value))).collect()
        }
        Expr::Hcl(_) => Vec::new(),
    }
}

fn items(expression: Expr<'_>) -> Vec<Expr<'_>> {
    match expression {
        Expr::Sliced(slice) => slice.parsed().map_or_else(Vec::new, |parsed| items(Expr::Hcl(parsed))),
        Expr::Hcl(Expression::Array(items)) => items.iter().map(Expr::Hcl).collect(),
        Expr::Json(json) => match &json.value {
            JsonValue::Array(items) => items.iter().map(Expr::Json).collect(),
            _ => Vec::new(),
        },
        Expr::Hcl(_) => Vec::new(),
    }
}

fn reads(body: Body<'_>, source: &Source<'_>) -> Vec<super::FileRead> {
    let mut reads = Reads::new(source);
    let none = Scope::default();
    if let Body::Json(json) = body {
        for member in json.members() {
            if member.name == "module" {
                body.blocks("module", 1).iter().for_each(|block| arguments(block.body, &mut reads));
            } else {
                reads.json(&member.value, &none, naming(&member.name));
            }
        }
        return reads.found;
    }
    for attribute in body.attributes() {
        reads.attribute(&attribute, &none, Naming::Counts);
    }
    for block in body.all_blocks() {
        match block.kind {
            "module" => arguments(block.body, &mut reads),
            kind => reads.body(block.body, &none, naming(kind)),
        }
    }
    reads.found
}

fn arguments(body: Body<'_>, reads: &mut Reads<'_, '_>) {
    let scope = each(body);
    for attribute in body.attributes() {
        reads.attribute(&attribute, &scope, naming_of_argument(attribute.name));
    }
}

fn naming_of_argument(name: &str) -> Naming {
    if META.contains(&name) { Naming::Ignored } else { Naming::Counts }
}

/// Locals and variables say nothing until they are used, the settings of `terraform` name places of state.
fn naming(kind: &str) -> Naming {
    if ["locals", "variable", "terraform", "variables"].contains(&kind) {
        Naming::Ignored
    } else {
        Naming::Counts
    }
}
