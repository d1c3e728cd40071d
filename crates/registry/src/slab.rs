//! Places with small stable numbers.

use std::marker::PhantomData;

/// The number of a place in a [`Slab`] of `T`. It is used again after the place was freed.
#[derive(Debug)]
pub(crate) struct Index<T>(u32, PhantomData<fn() -> T>);

// Derived impls would ask the same of `T`.
impl<T> Clone for Index<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Index<T> {}
impl<T> PartialEq for Index<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<T> Eq for Index<T> {}
impl<T> PartialOrd for Index<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Index<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<T> std::hash::Hash for Index<T> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

#[cfg(test)]
impl<T> Index<T> {
    /// The index of a place that nothing is in.
    pub(crate) fn test(place: u32) -> Self {
        Self(place, PhantomData)
    }
}

impl<T> Index<T> {
    /// The number of the place.
    pub(crate) fn place(self) -> u32 {
        self.0
    }
}

/// Values in places; freed places are filled first.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    places: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// The first value at a place or behind it.
    pub(crate) fn at_or_behind(&self, place: u32) -> Option<(Index<T>, &T)> {
        let behind = self.places.get(place as usize..)?;
        let (skipped, value) =
            behind.iter().enumerate().find_map(|(skipped, value)| Some((skipped, value.as_ref()?)))?;
        Some((Index(place + skipped as u32, PhantomData), value))
    }

    pub(crate) fn insert(&mut self, value: T) -> Index<T> {
        let index = match self.free.pop() {
            Some(index) => {
                self.places[index as usize] = Some(value);
                index
            }
            None => {
                self.places.push(Some(value));
                u32::try_from(self.places.len() - 1).expect("memory ends before 2^32 places do")
            }
        };
        Index(index, PhantomData)
    }

    pub(crate) fn get(&self, index: Index<T>) -> Option<&T> {
        self.places.get(index.0 as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, index: Index<T>) -> Option<&mut T> {
        self.places.get_mut(index.0 as usize)?.as_mut()
    }

    pub(crate) fn remove(&mut self, index: Index<T>) -> Option<T> {
        let value = self.places.get_mut(index.0 as usize)?.take()?;
        self.free.push(index.0);
        Some(value)
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.places.iter().flatten()
    }
}
