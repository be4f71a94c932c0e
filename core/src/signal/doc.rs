//! What the reference says of signals, and how one kind of signal is declared.

use serde::Serialize;

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More is better.
    Up,
    /// Less is better.
    Down,
    /// It depends on the business.
    Either,
    /// Nobody can say yet: the signal is tracked, and no score is made of it.
    Unknown,
}
super::params::choice!(Direction, "one of `up`, `down`, `either`, `unknown`", "up" => Direction::Up,
    "down" => Direction::Down, "either" => Direction::Either, "unknown" => Direction::Unknown);

/// How a window ends a day earlier.
#[derive(Clone, Copy)]
pub(crate) enum Through {
    Yesterday,
}
super::params::choice!(Through, "`yesterday`", "yesterday" => Through::Yesterday);

/// What the reference says of one kind of signal.
#[derive(Clone, Debug)]
pub struct SignalDoc {
    /// The name in models.
    pub kind: &'static str,
    /// What it measures.
    pub doc: &'static str,
    /// The unit of its value.
    pub unit: &'static str,
    /// Which way is better.
    pub direction: Direction,
    /// Whether it reads a window of days, and so takes `offset`.
    pub windowed: bool,
    /// Its parameters, in order of declaration.
    pub parameters: Vec<ParamDoc>,
}

/// What the reference says of one parameter of a signal.
#[derive(Clone, Debug)]
pub struct ParamDoc {
    /// The name in models.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// What is allowed.
    pub expects: &'static str,
    /// What it is where it is left out; `None` if it cannot be.
    pub default: Option<&'static str>,
    /// The JSON Schema of the value.
    pub schema: serde_json::Value,
}

/// Declares one kind of signal: its parameters, what it says of itself, and how it is read from JSON.
macro_rules! signal {
    (
        $(#[doc = $doc:literal])*
        $name:ident = $kind:literal, $unit:literal, $direction:ident, $window:ident {
            $($(#[doc = $pdoc:literal])* $param:ident: $type:ty $(= $default:expr)?),* $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub(crate) struct $name {
            $($(#[doc = $pdoc])* pub(crate) $param: $type),*
        }

        impl $name {
            pub(crate) const KIND: &'static str = $kind;
            pub(crate) const DIRECTION: $crate::signal::Direction = $crate::signal::Direction::$direction;

            pub(crate) fn from_object(
                object: &mut $crate::signal::params::Object<'_>,
                _around: $crate::signal::named::Around<'_>,
                faults: &mut $crate::signal::params::Faults,
            ) -> Option<Self> {
                let _ = (&object, &faults);
                let before = faults.count();
                $(let $param = signal!(@read object, faults, stringify!($param), $type $(, $default)?);)*
                if faults.count() > before {
                    return None;
                }
                // Without a fault, all of them are there.
                Some(Self { $($param: $param?),* })
            }

            pub(crate) fn doc() -> $crate::signal::SignalDoc {
                $crate::signal::SignalDoc {
                    kind: $kind,
                    doc: concat!($($doc),*).trim_ascii(),
                    unit: $unit,
                    direction: Self::DIRECTION,
                    windowed: signal!(@window $window),
                    parameters: vec![$($crate::signal::ParamDoc {
                        name: stringify!($param),
                        doc: concat!($($pdoc),*).trim_ascii(),
                        expects: <$type as $crate::signal::params::Param>::EXPECTS,
                        default: signal!(@default $type $(, $default)?),
                        schema: <$type as $crate::signal::params::Param>::schema(),
                    }),*],
                }
            }
        }
    };
    (@window window) => { true };
    (@window instant) => { false };
    (@read $object:ident, $faults:ident, $name:expr, $type:ty) => { $object.required::<$type>($name, $faults) };
    (@read $object:ident, $faults:ident, $name:expr, $type:ty, $default:expr) => {
        $object.optional::<$type>($name, $faults).or(Some($default))
    };
    (@default $type:ty) => { <$type as $crate::signal::params::Param>::absent().map(|_| "nothing") };
    (@default $type:ty, $default:expr) => { Some(stringify!($default)) };
}
pub(crate) use signal;
