use super::{Violation, violation::Held};
use crate::seal::Sealer;

/// Holds a [`Sealer`] that seals and opens against its contract, numbers 1 to 3 and 5. `other` has another
/// key. Numbers 4 and 6, what a failing call has written and bounded memory, are for the reader; 7 is for
/// sealers that cannot open.
pub fn sealer(sealer: &dyn Sealer, other: &dyn Sealer) -> Vec<Violation> {
    let mut held = Held::against("Sealer");
    // Around the chunk of 64 KiB, where an end can be mistaken for a boundary.
    for length in [0, 1, 1000, 65_535, 65_536, 65_537, 200_000] {
        let plain: Vec<u8> = (0..length).map(|at: u32| (at * 31 % 251) as u8).collect();
        let Ok(sealed) = sealer.seal_bytes(&plain) else {
            held.check(1, false, || format!("{length} bytes cannot be sealed"));
            continue;
        };
        let opens = |bytes: &[u8]| sealer.open_bytes(bytes).is_ok();
        held.check(1, sealer.open_bytes(&sealed).is_ok_and(|opened| opened == plain), || {
            format!("{length} bytes do not open to themselves")
        });
        held.check(2, other.open_bytes(&sealed).is_err(), || format!("another key opens {length} bytes"));
        held.check(2, !opens(&[&sealed[..], b"x"].concat()), || {
            format!("a byte added to {length} is not seen")
        });
        let step = (sealed.len() / 40).max(1);
        for at in (0..sealed.len()).step_by(step) {
            held.check(2, !opens(&sealed[..at]), || format!("{length} bytes open though cut to {at}"));
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            held.check(2, !opens(&altered), || format!("a change at {at} of {length} bytes is not seen"));
        }
        held.check(3, sealer.seal_bytes(&plain).is_ok_and(|again| again != sealed), || {
            format!("{length} bytes sealed twice are the same")
        });
    }
    let error = other.open_bytes(&sealer.seal_bytes(b"the-plain-text").unwrap_or_default());
    held.check(5, !format!("{error:?}").contains("the-plain-text"), || "an error has the plain text".into());
    held.violations()
}
