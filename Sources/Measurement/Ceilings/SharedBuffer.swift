import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

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
    let mapped = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0)
    guard let mapped, mapped != MAP_FAILED else { return nil }
    mapping = UnsafeMutableRawBufferPointer(start: mapped, count: size)
    start = mapped.alignedUp(toMultipleOf: Self.hugePage)
    bytes = rounded
    #if canImport(Glibc)
      madvise(mapped, size, MADV_HUGEPAGE)
    #endif
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
