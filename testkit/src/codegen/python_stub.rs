//! The Python signatures of the binding, read from its sources: `#[pyo3(signature = (client: "str") -> "Reading")]`.

#![allow(clippy::panic, reason = "a source of the binding that cannot be read stops the generator")]

use super::core_types::doc as docs;
use super::python::docstring;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::path::Path;
use syn::{Attribute, ImplItem, Item, Meta};

/// A class of the native module; that without a name holds its functions.
pub(super) struct Class {
    pub(super) name: String,
    pub(super) doc: String,
    pub(super) methods: Vec<Method>,
}

enum How {
    Plain,
    Static,
    Property,
    New,
    Function,
}

/// A method as Python sees it.
pub(super) struct Method {
    name: String,
    doc: String,
    how: How,
    arguments: Vec<Argument>,
    returns: String,
}

struct Argument {
    /// With its stars; a bare `*` or `/` has no annotation.
    name: String,
    annotation: String,
    default: Option<String>,
}

/// In the order of the stub.
const FILES: &[&str] = &[
    "engine/mod.rs",
    "engine/fold.rs",
    "engine/table.rs",
    "engine/ask.rs",
    "engine/book.rs",
    "engine/money.rs",
    "engine/lifetime.rs",
    "engine/watch.rs",
    "engine/keep.rs",
    "model.rs",
    "rows.rs",
    "run.rs",
];

/// What pyo3 takes no signature for.
const KNOWN: &[(&str, &str, &str)] = &[
    ("__len__", "", "int"),
    ("__getitem__", "index: int, /", "Any"),
    ("__eq__", "value: object, /", "bool"),
    ("__hash__", "", "int"),
    ("__repr__", "", "str"),
    ("bands", "", "tuple[Band, ...]"),
    ("sealed_before", "", "datetime | None"),
    ("as_of", "", "datetime"),
    ("version", "", "int"),
];

/// Everything the native module holds.
pub(super) fn native(root: &Path) -> Vec<Class> {
    let mut classes: Vec<Class> = Vec::new();
    let mut functions = Class { name: String::new(), doc: String::new(), methods: Vec::new() };
    for file in FILES {
        let text = std::fs::read_to_string(root.join("bindings-python/src").join(file)).unwrap_or_default();
        let Ok(file) = syn::parse_file(&text) else { panic!("{file} of the binding cannot be read") };
        for item in &file.items {
            match item {
                Item::Struct(item) if of(&item.attrs, "pyclass").is_some() => {
                    let given = of(&item.attrs, "pyclass").and_then(|tokens| text_after(tokens, "name"));
                    let name = given.unwrap_or_else(|| item.ident.to_string());
                    classes.push(Class { name, doc: docs(&item.attrs), methods: Vec::new() });
                }
                Item::Impl(item) if of(&item.attrs, "pymethods").is_some() => {
                    let own = super::core_types::path_end(&item.self_ty).unwrap_or_default();
                    let class = classes.iter_mut().find(|class| class.name.trim_start_matches('_') == own);
                    let Some(class) = class else { continue };
                    for item in &item.items {
                        if let ImplItem::Fn(function) = item {
                            class.methods.push(method(&function.attrs, &function.sig, true));
                        }
                    }
                }
                Item::Fn(item) if of(&item.attrs, "pyfunction").is_some() => {
                    functions.methods.push(method(&item.attrs, &item.sig, false));
                }
                _ => {}
            }
        }
    }
    classes.push(functions);
    classes
}

/// The tokens of an attribute of a name; those without any are empty.
fn of(attributes: &[Attribute], name: &str) -> Option<TokenStream> {
    let found = attributes.iter().find(|attribute| attribute.path().is_ident(name))?;
    Some(match &found.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    })
}

fn literal(token: &TokenTree) -> Option<String> {
    match token {
        TokenTree::Literal(literal) => {
            syn::parse_str::<syn::LitStr>(&literal.to_string()).ok().map(|text| text.value())
        }
        _ => None,
    }
}

/// The text after `name =`.
fn text_after(tokens: TokenStream, name: &str) -> Option<String> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let at = tokens.iter().position(|token| token.to_string() == name)?;
    literal(tokens.get(at + 2)?)
}

fn method(attributes: &[Attribute], signature: &syn::Signature, in_class: bool) -> Method {
    let mut given: Vec<TokenTree> = Vec::new();
    let mut renamed = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("pyo3")) {
        if let Meta::List(list) = &attribute.meta {
            renamed = renamed.or_else(|| text_after(list.tokens.clone(), "name"));
            given.extend(list.tokens.clone());
        }
    }
    let name = renamed.unwrap_or_else(|| signature.ident.to_string());
    let has = |name: &str| of(attributes, name).is_some();
    let how = if !in_class {
        How::Function
    } else if has("new") {
        How::New
    } else if has("staticmethod") {
        How::Static
    } else if has("getter") {
        How::Property
    } else {
        How::Plain
    };
    let group = given.iter().find_map(|token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => Some(group.stream()),
        _ => None,
    });
    let (arguments, returns) = match (group, KNOWN.iter().find(|(known, _, _)| *known == name)) {
        (Some(group), _) => {
            let returns = given.iter().rev().find_map(literal).unwrap_or_else(|| "None".to_owned());
            (split(group).into_iter().map(argument).collect(), returns)
        }
        (None, Some((_, known, returns))) => {
            let argument = |text: &str| {
                let (name, annotation) = text.split_once(": ").unwrap_or((text, ""));
                Argument { name: name.to_owned(), annotation: annotation.to_owned(), default: None }
            };
            let known = known.split(", ").filter(|text| !text.is_empty()).map(argument);
            (known.collect(), (*returns).to_owned())
        }
        (None, None) => (Vec::new(), "str".to_owned()),
    };
    Method { name, doc: docs(attributes), how, arguments, returns }
}

/// The items between commas.
fn split(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut items = vec![Vec::new()];
    for token in tokens {
        if matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ',') {
            items.push(Vec::new());
        } else if let Some(item) = items.last_mut() {
            item.push(token);
        }
    }
    items.retain(|item| !item.is_empty());
    items
}

fn argument(tokens: Vec<TokenTree>) -> Argument {
    let mut found = Argument { name: String::new(), annotation: String::new(), default: None };
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        match &token {
            TokenTree::Punct(punct) if punct.as_char() == ':' => {
                found.annotation = tokens.next().as_ref().and_then(literal).unwrap_or_default();
            }
            TokenTree::Punct(punct) if punct.as_char() == '=' => {
                let rest: String = tokens.by_ref().map(|token| token.to_string()).collect();
                found.default = Some(match rest.as_str() {
                    "true" => "True".to_owned(),
                    "false" => "False".to_owned(),
                    _ => rest.replace('"', "'"),
                });
            }
            other => found.name.push_str(other.to_string().trim_start_matches("r#")),
        }
    }
    found
}

impl Method {
    pub(super) fn annotations(&self) -> Vec<String> {
        let mut texts: Vec<String> =
            self.arguments.iter().map(|argument| argument.annotation.clone()).collect();
        texts.push(self.returns.clone());
        if matches!(self.how, How::New) {
            texts.push("Self".to_owned());
        }
        texts
    }

    pub(super) fn text(&self, indent: &str) -> String {
        let (first, mark) = match self.how {
            How::Plain => (Some("self"), String::new()),
            How::Static => (None, format!("{indent}@staticmethod\n")),
            How::Property => (Some("self"), format!("{indent}@property\n")),
            How::New => (Some("cls"), String::new()),
            How::Function => (None, String::new()),
        };
        let (name, returns) = if matches!(self.how, How::New) {
            ("__new__", "Self")
        } else {
            (self.name.as_str(), self.returns.as_str())
        };
        let argument = |argument: &Argument| {
            let Argument { name, annotation, default } = argument;
            match (annotation.as_str(), default) {
                ("", _) => name.clone(),
                (annotation, None) => format!("{name}: {annotation}"),
                (annotation, Some(default)) => format!("{name}: {annotation} = {default}"),
            }
        };
        let arguments = first.map(str::to_owned).into_iter().chain(self.arguments.iter().map(argument));
        let arguments: Vec<String> = arguments.collect();
        let one_line = format!("{indent}def {name}({}) -> {returns}:", arguments.join(", "));
        let head = if one_line.len() <= 110 {
            one_line
        } else {
            let lines =
                arguments.iter().map(|argument| format!("{indent}    {argument},\n")).collect::<String>();
            // A catch-all of keywords stands last, where a comma may follow.
            format!("{indent}def {name}(\n{lines}{indent}) -> {returns}:")
        };
        let doc = docstring(&self.doc, indent.len() + 4);
        if doc.is_empty() { format!("{mark}{head} ...\n") } else { format!("{mark}{head}\n{doc}") }
    }
}
