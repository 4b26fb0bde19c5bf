import Foundation

/// The only owner of zeroed, page-aligned memory for floats. Pages take physical memory when they are first
/// touched, so room for a long context costs nothing until it is used.
public struct FloatBuffer: ~Copyable, @unchecked Sendable {
  public let base: UnsafeMutablePointer<Float>
  public let count: Int
  private let bytes: Int

  public struct OutOfMemory: Error, CustomStringConvertible {
    public let bytes: Int
    public var description: String { "cannot allocate \(bytes) bytes of memory" }
  }

  /// - Parameter isFilledAtOnce: whether all of it will be used, as weights are. A large buffer then asks for huge
  ///   pages, which keep address translation out of the way of streaming reads; any other refuses them, because
  ///   they come whole.
  public init(count: Int, isFilledAtOnce: Bool = false) throws(OutOfMemory) {
    let (bytes, overflow) = max(count, 1).multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
    guard
      !overflow,
      let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      memory != MAP_FAILED
    else { throw OutOfMemory(bytes: bytes) }
    #if canImport(Glibc)
      if bytes >= 1 << 22 { madvise(memory, bytes, isFilledAtOnce ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) }
    #endif
    base = memory.bindMemory(to: Float.self, capacity: max(count, 1))
    self.count = count
    self.bytes = bytes
  }

  deinit { munmap(base, bytes) }
}
