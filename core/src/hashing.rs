//! BLAKE3 of many short messages at once.
//!
//! What an event is known by takes three blocks of 64 bytes, and a block by itself leaves most of a processor idle: each step
//! of it waits for the one before. Here eight messages go side by side, one in each lane of a vector, for a quarter of the
//! time where vectors have eight lanes. The `blake3` crate does so with the parts of one long input, not with many short ones, and the tests hold the two
//! to each other.
//!
//! The function is that of the BLAKE3 paper (O'Connor, Aumasson, Neves, Wilcox-O'Hearn, 2020), sections 2.1 to 2.4, for
//! inputs of one chunk.

use fearless_simd::{Level, Simd, SimdBase as _, dispatch, u32x8};

const LANES: usize = 8;
/// So few messages of a length, or so few that are left of it, are hashed one by one.
const FEW: usize = 2;
const BLOCK_BYTES: usize = 64;
/// The same as a block states it of itself.
const FULL: u32 = 64;
/// Blocks of a chunk: a longer message is a tree of chunks.
const CHUNK_BLOCKS: usize = 16;

/// The words that a state begins with, where there is no key.
const IV: [u32; 8] =
    [0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19];
const CHUNK_START: u32 = 1;
const CHUNK_END: u32 = 1 << 1;
const ROOT: u32 = 1 << 3;
const KEYED_HASH: u32 = 1 << 4;

type Block = [u8; BLOCK_BYTES];

/// The first half of a hash.
pub(crate) type HalfHash = [u8; 16];

#[derive(Clone, Copy, Debug)]
struct Message {
    start: usize,
    length: usize,
}

/// Messages to be hashed together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Messages {
    /// All messages, each filled up with zeroes to whole blocks.
    bytes: Vec<u8>,
    messages: Vec<Message>,
    /// The numbers of the messages of one block, of two, and so on.
    of_length: [Vec<usize>; CHUNK_BLOCKS],
    /// The numbers of those that are longer than a chunk.
    long: Vec<usize>,
}

/// Most messages are of two blocks at most.
const USUAL_BLOCKS: usize = 2;

impl Messages {
    /// No messages yet, with room for so many of the usual length.
    pub(crate) fn with_room_for(messages: usize) -> Self {
        let mut room = Self {
            bytes: Vec::with_capacity(messages * USUAL_BLOCKS * BLOCK_BYTES),
            messages: Vec::with_capacity(messages),
            ..Self::default()
        };
        room.of_length.iter_mut().take(USUAL_BLOCKS).for_each(|numbers| numbers.reserve(messages));
        room
    }

    /// Adds what is written; nothing that is there already may be touched.
    pub(crate) fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        let length = self.bytes.len() - start;
        let blocks = length.div_ceil(BLOCK_BYTES).max(1);
        self.bytes.resize(start + blocks * BLOCK_BYTES, 0);
        self.of_length.get_mut(blocks - 1).unwrap_or(&mut self.long).push(self.messages.len());
        self.messages.push(Message { start, length });
    }

    /// The hashes of all messages in their order, under a key if there is one; then there is none left.
    pub(crate) fn take_hashes(&mut self, key: Option<&[u8; 32]>) -> Vec<HalfHash> {
        self.take_hashes_at(Level::new(), key)
    }

    fn take_hashes_at(&mut self, level: Level, key: Option<&[u8; 32]>) -> Vec<HalfHash> {
        let mut hashes = vec![[0; 16]; self.messages.len()];
        let mut put = |number: usize, hash: HalfHash| {
            if let Some(place) = hashes.get_mut(number) {
                *place = hash;
            }
        };
        for (of_length, blocks) in self.of_length.iter().zip(1..) {
            for group in of_length.chunks(LANES) {
                if group.len() <= FEW {
                    group.iter().for_each(|number| put(*number, self.hash_one(*number, key)));
                    continue;
                }
                let found = dispatch!(level, simd => self.hash_group(simd, group, blocks, key));
                group.iter().zip(found).for_each(|(number, hash)| put(*number, hash));
            }
        }
        for number in &self.long {
            put(*number, self.hash_one(*number, key));
        }
        self.clear();
        hashes
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.messages.clear();
        self.of_length.iter_mut().for_each(Vec::clear);
        self.long.clear();
    }

    fn message(&self, number: usize) -> &[u8] {
        let Some(Message { start, length }) = self.messages.get(number) else { return &[] };
        self.bytes.get(*start..).and_then(|behind| behind.get(..*length)).unwrap_or_default()
    }

    /// A block of a message, the last of them filled up.
    fn block(&self, number: usize, at: usize) -> &Block {
        let start = self.messages.get(number).map_or(0, |message| message.start + at * BLOCK_BYTES);
        self.bytes.get(start..).and_then(<[u8]>::first_chunk).unwrap_or(&[0; BLOCK_BYTES])
    }

    fn hash_one(&self, number: usize, key: Option<&[u8; 32]>) -> HalfHash {
        let message = self.message(number);
        let hash = key.map_or_else(|| blake3::hash(message), |key| blake3::keyed_hash(key, message));
        hash.as_bytes().first_chunk().copied().unwrap_or_default()
    }

    /// The hashes of up to eight messages of so many blocks each.
    #[inline(always)]
    fn hash_group<S: Simd>(
        &self,
        simd: S,
        group: &[usize],
        blocks: usize,
        key: Option<&[u8; 32]>,
    ) -> [HalfHash; LANES] {
        // Lanes without a message do as the first.
        let first = group.first().copied().unwrap_or(0);
        let numbers: [usize; LANES] = std::array::from_fn(|lane| group.get(lane).copied().unwrap_or(first));
        // At most 64 each.
        let before = (blocks - 1) * BLOCK_BYTES;
        let rests = numbers.map(|number| u32::try_from(self.message(number).len() - before).unwrap_or(FULL));
        let splat = |word: u32| u32x8::splat(simd, word);
        let (start, mode) = key.map_or((IV, 0), |key| (words_of(key), KEYED_HASH));
        let mut chaining = start.map(splat);
        for at in 0..blocks {
            let (is_first, is_last) = (at == 0, at + 1 == blocks);
            let mut flags = mode;
            flags |= if is_first { CHUNK_START } else { 0 };
            flags |= if is_last { CHUNK_END | ROOT } else { 0 };
            let lengths = if is_last { rests } else { [FULL; LANES] };
            let words = words_of_lanes(simd, numbers.map(|number| self.block(number, at)));
            chaining = compress(simd, chaining, words, u32x8::from_slice(simd, &lengths), splat(flags));
        }
        let [a, b, c, d, ..] = chaining.map(|words| {
            let mut lanes = [0; LANES];
            words.store_slice(&mut lanes);
            lanes
        });
        let mut lanes = a.into_iter().zip(b).zip(c).zip(d);
        std::array::from_fn(|_| {
            let words = lanes.next().map_or([0; 4], |(((a, b), c), d)| [a, b, c, d]);
            let mut bytes = words.into_iter().flat_map(u32::to_le_bytes);
            std::array::from_fn(|_| bytes.next().unwrap_or(0))
        })
    }
}

/// Half of a block, or a key.
#[inline(always)]
fn words_of(bytes: &[u8; 32]) -> [u32; 8] {
    let mut words = bytes.as_chunks::<4>().0.iter();
    std::array::from_fn(|_| words.next().map_or(0, |word| u32::from_le_bytes(*word)))
}

/// The words of a block of each lane: the first of all, the second of all, and so on.
#[inline(always)]
fn words_of_lanes<S: Simd>(simd: S, blocks: [&Block; LANES]) -> [u32x8<S>; 16] {
    let half = |half: usize| {
        across(blocks.map(|block| {
            let halves = block.as_chunks::<32>().0;
            u32x8::from_slice(simd, &halves.get(half).map_or([0; 8], words_of))
        }))
    };
    let ([a, b, c, d, e, f, g, h], [i, j, k, l, m, n, o, p]) = (half(0), half(1));
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
}

/// Rows become columns, by three perfect shuffles.
#[inline(always)]
fn across<S: Simd>(rows: [u32x8<S>; 8]) -> [u32x8<S>; 8] {
    let shuffled = |[a, b, c, d, e, f, g, h]: [u32x8<S>; 8]| {
        let ([i, j], [k, l]) = ([a.zip_low(e), a.zip_high(e)], [b.zip_low(f), b.zip_high(f)]);
        let ([m, n], [o, p]) = ([c.zip_low(g), c.zip_high(g)], [d.zip_low(h), d.zip_high(h)]);
        [i, j, k, l, m, n, o, p]
    };
    shuffled(shuffled(shuffled(rows)))
}

/// The chaining values behind a block.
#[inline(always)]
fn compress<S: Simd>(
    simd: S,
    chaining: [u32x8<S>; 8],
    mut words: [u32x8<S>; 16],
    lengths: u32x8<S>,
    flags: u32x8<S>,
) -> [u32x8<S>; 8] {
    let [a, b, c, d, e, f, g, h] = chaining;
    let zero = u32x8::splat(simd, 0);
    let [i, j, k, l, ..] = IV.map(|word| u32x8::splat(simd, word));
    // A column each.
    let mut state = [[a, e, i, zero], [b, f, j, zero], [c, g, k, lengths], [d, h, l, flags]];
    for _ in 0..7 {
        state = round(state, words);
        words = permuted(words);
    }
    let [[a, e, i, m], [b, f, j, n], [c, g, k, o], [d, h, l, p]] = state;
    [a ^ i, b ^ j, c ^ k, d ^ l, e ^ m, f ^ n, g ^ o, h ^ p]
}

#[inline(always)]
fn round<S: Simd>(columns: [[u32x8<S>; 4]; 4], words: [u32x8<S>; 16]) -> [[u32x8<S>; 4]; 4] {
    let [first, second, third, fourth] = columns;
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = words;
    let [a0, b0, c0, d0] = mix(first, a, b);
    let [a1, b1, c1, d1] = mix(second, c, d);
    let [a2, b2, c2, d2] = mix(third, e, f);
    let [a3, b3, c3, d3] = mix(fourth, g, h);
    let [a0, b1, c2, d3] = mix([a0, b1, c2, d3], i, j);
    let [a1, b2, c3, d0] = mix([a1, b2, c3, d0], k, l);
    let [a2, b3, c0, d1] = mix([a2, b3, c0, d1], m, n);
    let [a3, b0, c1, d2] = mix([a3, b0, c1, d2], o, p);
    [[a0, b0, c0, d0], [a1, b1, c1, d1], [a2, b2, c2, d2], [a3, b3, c3, d3]]
}

#[inline(always)]
fn mix<S: Simd>([a, b, c, d]: [u32x8<S>; 4], x: u32x8<S>, y: u32x8<S>) -> [u32x8<S>; 4] {
    let a = a + b + x;
    let d = turned::<S, 16>(d ^ a);
    let c = c + d;
    let b = turned::<S, 12>(b ^ c);
    let a = a + b + y;
    let d = turned::<S, 8>(d ^ a);
    let c = c + d;
    let b = turned::<S, 7>(b ^ c);
    [a, b, c, d]
}

/// Turned to the right by so many bits.
#[inline(always)]
fn turned<S: Simd, const BITS: u32>(words: u32x8<S>) -> u32x8<S> {
    words >> BITS | words << (32 - BITS)
}

/// The order of the words in the next round.
#[inline(always)]
fn permuted<T>([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]: [T; 16]) -> [T; 16] {
    [c, g, d, k, h, a, e, n, b, l, m, f, j, o, p, i]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All that this machine has.
    fn levels() -> Vec<Level> {
        let best = Level::new();
        #[cfg(target_arch = "x86_64")]
        let others = [
            best.as_avx2().map(Level::Avx2),
            best.as_sse4_2().map(Level::Sse4_2),
            best.as_sse2().map(Level::Sse2),
        ];
        #[cfg(not(target_arch = "x86_64"))]
        let others: [Option<Level>; 0] = [];
        others.into_iter().flatten().chain([best]).collect()
    }

    fn expected(message: &[u8], key: Option<&[u8; 32]>) -> HalfHash {
        let hash = key.map_or_else(|| blake3::hash(message), |key| blake3::keyed_hash(key, message));
        *hash.as_bytes().first_chunk().unwrap()
    }

    fn is_as_expected(messages: &[Vec<u8>], key: Option<&[u8; 32]>) {
        let expected: Vec<HalfHash> = messages.iter().map(|message| expected(message, key)).collect();
        let mut together = Messages::default();
        // The same space again and again.
        for level in levels() {
            messages.iter().for_each(|message| together.add(|bytes| bytes.extend_from_slice(message)));
            assert_eq!(together.take_hashes_at(level, key), expected, "{level:?}");
            assert_eq!(together.take_hashes_at(level, key), [[0; 16]; 0]);
        }
    }

    #[test]
    fn every_length_up_to_a_chunk_and_beyond() {
        for length in (0..=1030).chain([2048, 5000]) {
            let message =
                |n: usize| (0..length).map(|at| (at * 7 + n * 31).to_le_bytes()[0]).collect::<Vec<u8>>();
            is_as_expected(&(0..9).map(message).collect::<Vec<_>>(), None);
        }
    }

    #[test]
    fn any_number_of_one_length() {
        for count in 0..=25 {
            is_as_expected(&(0..count).map(|n| vec![n; 70]).collect::<Vec<_>>(), Some(&[count; 32]));
        }
    }

    proptest! {
        #[test]
        fn mixed_lengths(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..60),
            key in any::<Option<[u8; 32]>>(),
        ) {
            is_as_expected(&messages, key.as_ref());
        }
    }
}
