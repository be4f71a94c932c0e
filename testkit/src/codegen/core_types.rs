//! What the core's results are made of, read from its sources: structs and enums that are serialised, with their docs.

use std::collections::BTreeMap;
use std::path::Path;
use syn::{Attribute, Expr, Fields, Item, Lit, Meta, Type};

/// A struct or an enum of the core.
#[derive(Clone)]
pub(super) enum Kind {
    /// Fields by name.
    Struct(Vec<Field>),
    /// Words: name, text, docs.
    Words(Vec<(String, String, String)>),
    /// One of several records, told by their fields alone.
    Untagged(Vec<Variant>),
}

/// One of the records of an untagged enum.
#[derive(Clone)]
pub(super) enum Variant {
    Fields(Vec<Field>),
    Type(Box<Type>),
}

#[derive(Clone)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) doc: String,
    pub(super) of: Type,
    /// Its members stand in the place of itself.
    pub(super) flat: bool,
    /// Left out where there is none.
    pub(super) may_be_absent: bool,
}

#[derive(Clone)]
pub(super) struct Named {
    pub(super) doc: String,
    pub(super) kind: Kind,
}

/// Every struct and enum of the core that its front door exports, by name.
pub(super) fn read(core: &Path) -> BTreeMap<String, Named> {
    let mut files = Vec::new();
    collect(core, &mut files);
    let mut types = BTreeMap::new();
    let mut words = BTreeMap::new();
    let mut exported = Vec::new();
    for path in files {
        let Ok(file) = syn::parse_file(&std::fs::read_to_string(&path).unwrap_or_default()) else { continue };
        if path == core.join("lib.rs") {
            for item in &file.items {
                if let Item::Use(item) = item {
                    names(&item.tree, &mut exported);
                }
            }
        }
        for item in &file.items {
            take(item, &mut types, &mut words);
        }
    }
    // Enums that say their words in `as_str`.
    for (name, arms) in words {
        if let Some(Named { kind: Kind::Words(variants), .. }) = types.get_mut(&name) {
            for (variant, text, _) in variants {
                if let Some(arm) = arms.get(variant) {
                    text.clone_from(arm);
                }
            }
        }
    }
    // Words may be those of an event, which has a module of its own.
    types.retain(|name, named| exported.contains(name) || matches!(named.kind, Kind::Words(_)));
    types
}

pub(super) fn collect(folder: &Path, into: &mut Vec<std::path::PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            into.push(path);
        }
    }
    into.sort();
}

fn names(tree: &syn::UseTree, into: &mut Vec<String>) {
    match tree {
        syn::UseTree::Path(path) => names(&path.tree, into),
        syn::UseTree::Name(name) => into.push(name.ident.to_string()),
        syn::UseTree::Rename(rename) => into.push(rename.ident.to_string()),
        syn::UseTree::Group(group) => group.items.iter().for_each(|tree| names(tree, into)),
        syn::UseTree::Glob(_) => {}
    }
}

type Arms = BTreeMap<String, BTreeMap<String, String>>;

fn take(item: &Item, types: &mut BTreeMap<String, Named>, words: &mut Arms) {
    match item {
        Item::Struct(item) => {
            if let (Fields::Named(_), true) = (&item.fields, derives(&item.attrs)) {
                let kind = Kind::Struct(fields(&item.fields));
                let named = Named { doc: doc(&item.attrs), kind };
                // What is public is what the front door exports; a private struct may have the same name.
                if matches!(item.vis, syn::Visibility::Public(_)) {
                    types.insert(item.ident.to_string(), named);
                }
            }
        }
        Item::Enum(item) if !is_error(&item.attrs) => {
            let kind = if serde(&item.attrs).contains("untagged") {
                Kind::Untagged(item.variants.iter().filter_map(variant).collect())
            } else {
                let word = |variant: &syn::Variant| {
                    let name = variant.ident.to_string();
                    let text = snake(&name);
                    (name, text, doc(&variant.attrs))
                };
                Kind::Words(item.variants.iter().map(word).collect())
            };
            if matches!(item.vis, syn::Visibility::Public(_)) {
                types.insert(item.ident.to_string(), Named { doc: doc(&item.attrs), kind });
            }
        }
        Item::Impl(item) if item.trait_.is_none() => {
            let Some(name) = path_end(&item.self_ty) else { return };
            for part in &item.items {
                if let syn::ImplItem::Fn(function) = part
                    && function.sig.ident == "as_str"
                {
                    arms(&function.block, words.entry(name.clone()).or_default());
                }
            }
        }
        Item::Macro(item) => {
            let path = item.mac.path.segments.last().map(|segment| segment.ident.to_string());
            if let Some("choice" | "words" | "codes") = path.as_deref() {
                macro_words(&item.mac, types);
            }
        }
        _ => {}
    }
}

fn variant(variant: &syn::Variant) -> Option<Variant> {
    match &variant.fields {
        Fields::Named(_) => Some(Variant::Fields(fields(&variant.fields))),
        Fields::Unnamed(unnamed) => {
            unnamed.unnamed.first().map(|field| Variant::Type(Box::new(field.ty.clone())))
        }
        Fields::Unit => None,
    }
}

fn fields(of: &Fields) -> Vec<Field> {
    let one = |field: &syn::Field| {
        let serde = serde(&field.attrs);
        Some(Field {
            name: field.ident.as_ref()?.to_string().trim_start_matches("r#").to_owned(),
            doc: doc(&field.attrs),
            of: field.ty.clone(),
            flat: serde.contains("flatten"),
            may_be_absent: serde.contains("skip_serializing_if"),
        })
    };
    of.iter().filter_map(one).collect()
}

fn is_error(attributes: &[Attribute]) -> bool {
    let derived = |attribute: &Attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident("derive") && list.tokens.to_string().contains("Error"),
        _ => false,
    };
    attributes.iter().any(derived)
}

/// Whether it is serialised as its fields are, and is part of answers: what errors hold comes as plain members.
fn derives(attributes: &[Attribute]) -> bool {
    if is_error(attributes) {
        return false;
    }
    let says = |attribute: &Attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident("derive") && list.tokens.to_string().contains("Serialize"),
        _ => false,
    };
    attributes.iter().any(says)
}

/// What stands in `#[serde(...)]`.
fn serde(attributes: &[Attribute]) -> String {
    let text = |attribute: &Attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("serde") => Some(list.tokens.to_string()),
        _ => None,
    };
    attributes.iter().filter_map(text).collect()
}

/// The docs without their examples.
pub(super) fn doc(attributes: &[Attribute]) -> String {
    let line = |attribute: &Attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(lit) => match &lit.lit {
                Lit::Str(text) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    };
    let mut in_code = false;
    let mut lines: Vec<String> = Vec::new();
    for line in attributes.iter().filter_map(line) {
        if line.starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            lines.push(line);
        }
    }
    let text = lines.join("\n").replace("[`", "`").replace("`]", "`").replace("crate::", "");
    text.trim().replace("::", ".")
}

fn arms(block: &syn::Block, into: &mut BTreeMap<String, String>) {
    let Some(syn::Stmt::Expr(Expr::Match(of), _)) = block.stmts.last() else { return };
    for arm in &of.arms {
        if let (syn::Pat::Path(path), Expr::Lit(lit)) = (&arm.pat, &*arm.body)
            && let (Some(end), Lit::Str(text)) = (path.path.segments.last(), &lit.lit)
        {
            into.insert(end.ident.to_string(), text.value());
        }
    }
}

/// An enum that a macro of the core declares: `Name { /// docs\n Variant = "text", ... }`, or variants alone.
fn macro_words(of: &syn::Macro, types: &mut BTreeMap<String, Named>) {
    struct Words(Vec<(String, String, String)>);
    impl syn::parse::Parse for Words {
        fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<Self> {
            let mut words = Vec::new();
            while !input.is_empty() {
                let attributes = input.call(Attribute::parse_outer)?;
                let name: syn::Ident = input.parse()?;
                input.parse::<syn::Token![=]>()?;
                let text: syn::LitStr = input.parse()?;
                input.parse::<Option<syn::Token![,]>>()?;
                words.push((name.to_string(), text.value(), doc(&attributes)));
            }
            Ok(Self(words))
        }
    }
    struct Whole(String, String, Words);
    impl syn::parse::Parse for Whole {
        fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<Self> {
            let attributes = input.call(Attribute::parse_outer)?;
            let name: syn::Ident = input.parse()?;
            let inside;
            syn::braced!(inside in input);
            Ok(Self(name.to_string(), doc(&attributes), inside.parse()?))
        }
    }
    if let Ok(Whole(name, doc, Words(words))) = of.parse_body() {
        types.insert(name, Named { doc, kind: Kind::Words(words) });
    } else if let Ok(Words(words)) = of.parse_body()
        && of.path.is_ident("codes")
    {
        let doc = "What is doubtful. The slugs are stable.".to_owned();
        types.insert("LintCode".to_owned(), Named { doc, kind: Kind::Words(words) });
    }
}

/// The last name of a path: `Option` of `std::option::Option<T>`.
pub(super) fn path_end(of: &Type) -> Option<String> {
    match of {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        _ => None,
    }
}

/// The types between the angle brackets of a path.
pub(super) fn arguments(of: &Type) -> Vec<Type> {
    let Type::Path(path) = of else { return Vec::new() };
    match path.path.segments.last().map(|segment| &segment.arguments) {
        Some(syn::PathArguments::AngleBracketed(inside)) => inside
            .args
            .iter()
            .filter_map(|argument| match argument {
                syn::GenericArgument::Type(of) => Some(of.clone()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn snake(name: &str) -> String {
    let mut text = String::new();
    for (place, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && place > 0 {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}
