//! Secrets: where they live, how they are sealed, and how they are fetched at the moment of use (law 7).
//!
//! A secret that aosctl holds is a [`Secret`]: wiped when it is dropped, never shown by `Debug`, and read with
//! [`Secret::expose`] only where it is handed on. The inventory holds a [`Reference`] to where it lives, or the SHA-256
//! of the file in the [`Vault`] in which it is sealed.

mod error;
mod reference;
mod resolve;
mod value;
mod vault;

pub use error::SecretError;
pub use reference::Reference;
pub use resolve::{How, resolve};
pub use value::{MAX_SECRET, Secret};
pub use vault::{Circle, FingerprintKey, Sealed, Vault};
