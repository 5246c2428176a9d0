//! Random bytes from the operating system.

use super::SysError;

/// `N` bytes fit for keys, salts and nonces.
///
/// # Errors
/// [`SysError::Random`] where the system has none to give. There is no weaker source to fall back on.
pub fn bytes<const N: usize>() -> Result<[u8; N], SysError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| SysError::Random(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_draws_differ() {
        assert_ne!(super::bytes::<32>().unwrap(), super::bytes::<32>().unwrap());
    }
}
