/// A read-only view of a row-major matrix. The memory belongs to somebody who outlives the view.
public struct Matrix: @unchecked Sendable {
  public let base: UnsafePointer<Float>
  public let rows: Int
  public let columns: Int
  /// Elements from one row to the next, at least `columns`.
  public let stride: Int

  public init(_ base: UnsafePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
    self.base = base
    self.rows = rows
    self.columns = columns
    self.stride = stride ?? columns
    assert(rows >= 0 && columns >= 0 && self.stride >= columns)
  }

  @inline(__always)
  public func row(_ index: Int) -> UnsafePointer<Float> {
    assert(index >= 0 && index < rows)
    return base + index &* stride
  }
}

/// A writable view of a row-major matrix, as `Matrix` is a read-only one.
public struct MutableMatrix: @unchecked Sendable {
  public let base: UnsafeMutablePointer<Float>
  public let rows: Int
  public let columns: Int
  public let stride: Int

  public init(_ base: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
    self.base = base
    self.rows = rows
    self.columns = columns
    self.stride = stride ?? columns
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
