import Foundation

/// A read-only view of a row-major matrix. The memory belongs to somebody who outlives the view.
public struct Matrix: @unchecked Sendable {
  public let base: UnsafePointer<Float>
  public let rows, columns: Int
  /// Elements from one row to the next, at least `columns`.
  public let stride: Int

  public init(_ base: UnsafePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
    (self.base, self.rows, self.columns, self.stride) = (base, rows, columns, stride ?? columns)
    assert(rows >= 0 && columns >= 0 && self.stride >= columns)
  }

  @inline(__always)
  public func row(_ index: Int) -> UnsafePointer<Float> {
    assert(index >= 0 && index < rows)
    return base + index &* stride
  }

  public func values(ofRow index: Int) -> UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(start: row(index), count: columns)
  }
}

/// A writable view of a row-major matrix, as `Matrix` is a read-only one.
public struct MutableMatrix: @unchecked Sendable {
  public let base: UnsafeMutablePointer<Float>
  public let rows, columns, stride: Int

  public init(_ base: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
    (self.base, self.rows, self.columns, self.stride) = (base, rows, columns, stride ?? columns)
    assert(rows >= 0 && columns >= 0 && self.stride >= columns)
  }

  @inline(__always)
  public func row(_ index: Int) -> UnsafeMutablePointer<Float> {
    assert(index >= 0 && index < rows)
    return base + index &* stride
  }

  /// Whether one row follows the other without a gap.
  public var isContiguous: Bool { stride == columns || rows <= 1 }

  public var readOnly: Matrix { Matrix(base, rows: rows, columns: columns, stride: stride) }
}

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
  ///   pages, which keep address translation out of streaming reads; any other refuses them, because they come whole.
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

  /// Whole cache lines for so many floats, so that what follows them begins at one.
  public static func room(for count: Int) -> Int { (count + 15) / 16 * 16 }

  deinit { munmap(base, bytes) }
}
