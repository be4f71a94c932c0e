//! Questions about one client: signals, scores and the reasons for them.

use super::Engine;

impl Engine {}
