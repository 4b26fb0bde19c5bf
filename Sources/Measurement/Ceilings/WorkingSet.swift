/// A level of memory, by what it takes to read from it and from nothing nearer.
public enum MemoryLevel: String, Sendable, CaseIterable {
  case l2 = "L2"
  case l3 = "L3"
  case dram = "DRAM"
}

/// What each thread reads over and over to be served from one level of memory.
struct WorkingSet: Equatable {
  let level: MemoryLevel
  let bytesPerThread: Int
  /// What all threads together can keep at this level; nil for DRAM.
  let capacityBytes: Int?

  /// The caches' working sets for this many threads, each on a core of its own.
  ///
  /// Threads that may share a cache are taken to share it. A set is at most half of a thread's share, so that
  /// what else runs does not push it out, and clearly larger than the cache before it, so that hardly a line is
  /// found there: a cyclic walk over more than a cache holds finds nothing in it. Where both cannot be had there
  /// is no set. The third level's is kept at a few times the second's, far below what a guest is told of its
  /// host's cache: its share of that may be any.
  static func ofCaches(_ caches: [CPUCache], threads: Int) -> [WorkingSet] {
    func cache(_ level: Int) -> (bytes: Int, share: Int, capacity: Int)? {
      guard let cache = caches.first(where: { $0.level == level }), let bytes = cache.bytes else {
        return nil
      }
      let sharers = max(cache.sharedBy ?? threads, 1)
      let instances = (threads + sharers - 1) / sharers
      return (bytes, bytes / min(threads, sharers), bytes * instances)
    }
    guard let second = cache(2) else { return [] }
    var sets: [WorkingSet] = []
    let first = cache(1)?.bytes ?? 64 << 10
    let half = rounded(second.share / 2)
    if half >= 3 * first {
      sets.append(WorkingSet(level: .l2, bytesPerThread: half, capacityBytes: second.capacity))
    }
    if let third = cache(3) {
      let part = rounded(min(4 * second.bytes, third.share / 2))
      if part >= second.bytes * 3 / 2 {
        sets.append(WorkingSet(level: .l3, bytesPerThread: part, capacityBytes: third.capacity))
      }
    }
    return sets
  }

  private static func rounded(_ bytes: Int) -> Int { bytes / SharedBuffer.grain * SharedBuffer.grain }
}
