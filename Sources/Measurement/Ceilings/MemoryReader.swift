import Foundation

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

  /// The caches' working sets for this many threads, each on a core of its own. Threads that may share a cache are
  /// taken to share it. A set is at most half of a thread's share, so that what else runs does not push it out, and
  /// clearly larger than the cache before it, so that hardly a line is found there: a cyclic walk over more than a
  /// cache holds finds nothing in it. Where both cannot be had there is no set. The third level's is kept at a few
  /// times the second's, far below what a guest is told of its host's cache: its share of that may be any.
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

/// Trials of reading one level of memory. Each thread has a region of the buffer; how much of it it reads decides the
/// level.
struct MemoryReader {
  let buffer: SharedBuffer
  let threads: Int
  let settings: CeilingSettings

  /// Whether each thread's region has room for its working set.
  func fits(_ set: WorkingSet) -> Bool { set.bytesPerThread <= buffer.part(0, of: threads).bytes }

  /// GB/s of each trial, of all threads together.
  func rates(_ set: WorkingSet, _ pattern: ReadPattern) -> [Double] {
    set.level == .dram ? ratesOfBuffer(pattern) : ratesOfCache(set, pattern)
  }

  /// A trial reads the next part of every region, a pass all of them. A thread's regions are those that it, or a
  /// thread on a core near it, has filled: on machines with several memories they lie in its own.
  private func ratesOfBuffer(_ pattern: ReadPattern) -> [Double] {
    let parts = settings.trialsPerPass
    let times = ThreadTrials.run(threads: threads, trials: parts * settings.passes) { thread, trial in
      let part = buffer.part(thread * parts + trial % parts, of: threads * parts)
      blackHole(PeakKernels.read(part.start, bytes: part.bytes, pattern))
    }
    return times.map { Double(buffer.bytes) / Double(parts) / Double($0) }
  }

  /// A trial reads the working set as often as fills it. The one that brings it into the cache does not count.
  private func ratesOfCache(_ set: WorkingSet, _ pattern: ReadPattern) -> [Double] {
    let walks = max(1, (settings.cacheTrialBytes[set.level] ?? 0) / set.bytesPerThread)
    let times = ThreadTrials.run(threads: threads, trials: settings.cacheTrials + 1) { thread, _ in
      let region = buffer.part(thread, of: threads).start
      for _ in 0..<walks { blackHole(PeakKernels.read(region, bytes: set.bytesPerThread, pattern)) }
    }
    let work = Double(walks) * Double(set.bytesPerThread) * Double(threads)
    return times.dropFirst().map { work / Double($0) }
  }
}

/// How one thread walks through the bytes it reads. Which walk is the fastest differs from machine to machine: a
/// core follows a few streams at once better than one, and some do better still where software asks ahead of
/// the hardware's own prefetchers.
public struct ReadPattern: Sendable, Hashable {
  /// Equal parts that are read side by side: 1, 2, 4 or 8, since a page is divided into them.
  public let streams: Int
  /// How far ahead of each load its line is asked for; 0 leaves that to the hardware.
  public let prefetchBytes: Int

  /// Those that are tried. The best of them is the ceiling of any reader.
  static let candidates = [
    ReadPattern(streams: 1, prefetchBytes: 0), ReadPattern(streams: 2, prefetchBytes: 2048),
    ReadPattern(streams: 4, prefetchBytes: 0), ReadPattern(streams: 4, prefetchBytes: 1024),
    ReadPattern(streams: 8, prefetchBytes: 512),
  ]
}

/// Anonymous memory that every thread may read, in huge pages where the system gives them. Its owner unmaps it;
/// a count of references would leave that to the thread that happens to end last.
struct SharedBuffer: @unchecked Sendable {
  /// Bytes that parts begin and end at multiples of.
  static let grain = 4096
  /// A huge page's size on x86-64 and, with pages of 4 KiB, on arm64.
  private static let hugePage = 2 << 20

  private let mapping: UnsafeMutableRawBufferPointer
  private let start: UnsafeMutableRawPointer
  let bytes: Int

  /// Maps and fills the memory, each thread a part. Pages that were never written would all be the same one of
  /// zeros. Nil where the system refuses.
  init?(bytes wanted: Int, threads: Int) {
    let rounded = max(1, wanted / Self.grain) * Self.grain
    // One huge page more than wanted, so that the bytes can begin at one.
    let size = rounded + Self.hugePage
    guard let mapped = FreeMemory.map(size) else { return nil }
    mapping = UnsafeMutableRawBufferPointer(start: mapped, count: size)
    start = mapped.alignedUp(toMultipleOf: Self.hugePage)
    bytes = rounded
    _ = ThreadTrials.run(threads: threads, trials: 1) { [self] thread, _ in
      let part = part(thread, of: threads)
      memset(UnsafeMutableRawPointer(mutating: part.start), 0x5a, part.bytes)
    }
  }

  func unmap() { munmap(mapping.baseAddress, mapping.count) }

  /// One of `count` parts of about the same size; together they cover the buffer.
  func part(_ index: Int, of count: Int) -> (start: UnsafeRawPointer, bytes: Int) {
    let pages = bytes / Self.grain
    let first = pages * index / count
    let end = pages * (index + 1) / count
    return (UnsafeRawPointer(start) + first * Self.grain, (end - first) * Self.grain)
  }
}
