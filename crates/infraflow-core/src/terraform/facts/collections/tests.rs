use super::*;

fn t(text: &str) -> StaticValue {
    StaticValue::Literal(text.to_owned())
}

fn l(texts: &[&str]) -> StaticValue {
    StaticValue::List(texts.iter().map(|text| t(text)).collect())
}

fn shown(value: &StaticValue) -> String {
    match value {
        StaticValue::Literal(text) => text.clone(),
        StaticValue::List(items) => {
            format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(","))
        }
        StaticValue::Many(item) => format!("{}*", shown(item)),
        StaticValue::OneOf(items) => items.iter().map(shown).collect::<Vec<_>>().join("|"),
        StaticValue::Null => "null".to_owned(),
        StaticValue::Unknown => "?".to_owned(),
        other => format!("{other:?}"),
    }
}

/// As `terraform console` has them (1.11); a star stands behind what is any number of, in any order.
#[test]
fn functions_of_known_lists_give_what_terraform_gives() {
    let nested = StaticValue::List(vec![l(&["a"]), l(&[]), StaticValue::List(vec![t("b"), l(&["c"])])]);
    let null = StaticValue::List(vec![t("a"), t(""), StaticValue::Null, t("b")]);
    for (name, arguments, given) in [
        ("setproduct", vec![l(&["b", "a"]), l(&["y", "x"])], "[[b,y],[b,x],[a,y],[a,x]]"),
        ("setproduct", vec![l(&["a"]), l(&[])], "[]"),
        ("setproduct", vec![l(&["a"]), l(&["b"]), l(&["c", "d"])], "[[a,b,c],[a,b,d]]"),
        ("formatlist", vec![t("%s-x"), l(&["a", "b"])], "[a-x,b-x]"),
        ("formatlist", vec![t("%s-%s"), l(&["a", "b"]), t("c")], "[a-c,b-c]"),
        ("formatlist", vec![t("%s-%s"), l(&["a", "b"]), l(&["c", "d"])], "[a-c,b-d]"),
        ("formatlist", vec![t("%s"), l(&[])], "[]"),
        ("formatlist", vec![t("x")], "[x]"),
        ("formatlist", vec![t("%d-%02d"), l(&["1", "2"]), t("3")], "[1-03,2-03]"),
        ("chunklist", vec![l(&["a", "b", "c"]), t("2")], "[[a,b],[c]]"),
        ("chunklist", vec![l(&["a", "b", "c"]), t("0")], "[[a,b,c]]"),
        ("chunklist", vec![l(&[]), t("2")], "[]"),
        ("distinct", vec![l(&["b", "a", "b"])], "[b,a]"),
        ("sort", vec![l(&["b", "a", "é", "B", "10", "9"])], "[10,9,B,a,b,é]"),
        ("sort", vec![l(&[])], "[]"),
        ("compact", vec![null.clone()], "[a,b]"),
        ("range", vec![t("3")], "[0,1,2]"),
        ("range", vec![t("3"), t("1")], "[3,2]"),
        ("range", vec![t("1"), t("10"), t("4")], "[1,5,9]"),
        ("range", vec![t("10"), t("0"), t("-5")], "[10,5]"),
        ("range", vec![t("-2")], "[0,-1]"),
        ("range", vec![t("0"), t("0")], "[]"),
        ("element", vec![l(&["a", "b"]), t("3")], "b"),
        ("matchkeys", vec![l(&["a", "b", "c"]), l(&["1", "2", "1"]), l(&["1"])], "[a,c]"),
        ("matchkeys", vec![l(&["a"]), l(&["1"]), l(&[])], "[]"),
        ("setintersection", vec![l(&["b", "a", "c"]), l(&["c", "a"])], "a|c*"),
        ("setsubtract", vec![l(&["b", "a"]), l(&["a"])], "b*"),
        ("setsubtract", vec![l(&[]), l(&["a"])], "[]"),
        ("flatten", vec![nested.clone()], "[a,b,c]"),
        ("flatten", vec![l(&[])], "[]"),
        ("reverse", vec![l(&["a", "b"])], "[b,a]"),
        ("slice", vec![l(&["a", "b", "c"]), t("1"), t("2")], "[b]"),
    ] {
        assert_eq!(shown(&computed(name, arguments)), given, "{name}");
    }
}

/// What is not known, or an error, is anything that may be meant.
#[test]
fn what_is_not_known_is_told_roughly() {
    let half = StaticValue::List(vec![t("a"), StaticValue::Unknown]);
    let any = StaticValue::Many(Box::new(t("a")));
    for (name, arguments, given) in [
        ("sort", vec![half.clone()], "a|?*"),
        ("distinct", vec![half.clone()], "a|?*"),
        ("compact", vec![half.clone()], "a|?*"),
        ("element", vec![half.clone(), StaticValue::Unknown], "a|?"),
        ("element", vec![l(&["a", "b"]), t("-1")], "a|b"),
        ("chunklist", vec![any.clone(), t("2")], "a**"),
        ("formatlist", vec![t("%s.x"), any.clone()], "a.x*"),
        ("formatlist", vec![t("%s-%s"), l(&["a", "b"]), l(&["c"])], "a|b-c*"),
        ("setproduct", vec![any.clone(), l(&["x", "y"])], "[a,x|y]*"),
        ("matchkeys", vec![l(&["a", "b"]), half.clone(), l(&["1"])], "a|b*"),
        ("setsubtract", vec![half.clone(), l(&["a"])], "a|?*"),
        ("flatten", vec![StaticValue::Many(Box::new(l(&["a", "b"])))], "a|b*"),
        ("flatten", vec![StaticValue::List(vec![l(&["a"]), StaticValue::Unknown])], "a|?*"),
        ("range", vec![t("2000")], "?*"),
        ("range", vec![t("1"), t("2"), t("0")], "?*"),
        ("range", vec![StaticValue::Unknown], "?*"),
        ("slice", vec![l(&["a"]), t("0"), t("2")], "a*"),
    ] {
        let found = computed(name, arguments);
        let shown = match &found {
            StaticValue::Many(item) => match &**item {
                StaticValue::Concat(parts) => format!("{}*", parts.iter().map(shown).collect::<String>()),
                _ => shown(&found),
            },
            _ => shown(&found),
        };
        assert_eq!(shown, given, "{name}");
    }
}

#[test]
fn no_more_items_are_made_than_the_bound() {
    let wide = StaticValue::List(vec![t("a"); 100]);
    assert!(matches!(computed("setproduct", vec![wide.clone(), wide.clone()]), StaticValue::Many(_)));
    assert!(matches!(
        computed("formatlist", vec![t("%s"), StaticValue::List(vec![t("a"); 2_000])]),
        StaticValue::Many(_)
    ));
    let deep = StaticValue::List(vec![wide; 100]);
    assert!(matches!(computed("flatten", vec![deep]), StaticValue::Many(_)));
}

#[test]
fn a_collection_that_is_known_by_name_is_worked_out_later() {
    let local = StaticValue::Local("l".to_owned(), Vec::new());
    for name in ["sort", "distinct", "reverse", "flatten", "setproduct"] {
        let first = computed(name, vec![local.clone()]).step(Step::Item(0));
        assert!(matches!(first, StaticValue::Computed(..)), "{name}: {first:?}");
    }
}
