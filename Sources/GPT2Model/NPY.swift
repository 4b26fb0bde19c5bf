import Foundation

/// A two-dimensional float32 array in NumPy's `.npy` format, version 1.0, little-endian, C order.
/// Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
public struct NPY: Equatable, Sendable {
  public let rows: Int
  public let columns: Int
  /// Row-major.
  public let values: [Float]

  public init(rows: Int, columns: Int, values: [Float]) {
    precondition(values.count == rows * columns)
    (self.rows, self.columns, self.values) = (rows, columns, values)
  }

  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]

  public init(path: String) throws(ModelError) {
    let bytes = [UInt8](try ModelFile.read(path))
    guard bytes.count >= 10, Array(bytes[0..<8]) == Self.magic else {
      throw .malformed(path: path, problem: "not a .npy file of version 1.0")
    }
    let length = Int(bytes[8]) + Int(bytes[9]) << 8
    guard bytes.count >= 10 + length else {
      throw .malformed(path: path, problem: "truncated within the header")
    }
    let header = String(decoding: bytes[10..<10 + length], as: UTF8.self)
    guard header.contains("'descr': '<f4'"), header.contains("'fortran_order': False") else {
      throw .field(
        path: path, field: "header", found: header.trimmingCharacters(in: .whitespacesAndNewlines),
        expected: "descr '<f4' in C order")
    }
    guard let shapeText = header.split(separator: "(").dropFirst().first?.split(separator: ")").first,
      case let shape = shapeText.split(separator: ",").map({ Int($0.trimmingCharacters(in: .whitespaces)) }),
      shape.count == 2, let rows = shape[0], let columns = shape[1], rows >= 0, columns >= 0,
      rows <= Configuration.largestDimensions.any, columns <= Configuration.largestDimensions.any
    else { throw .field(path: path, field: "shape", found: header, expected: "two dimensions") }
    let body = bytes.count - 10 - length
    guard body == rows * columns * 4 else {
      throw .field(
        path: path, field: "data", found: "\(body) bytes",
        expected: "\(rows * columns * 4) for shape (\(rows), \(columns))")
    }
    (self.rows, self.columns) = (rows, columns)
    values = bytes.withUnsafeBytes { buffer in
      (0..<rows * columns).map {
        let bits = buffer.loadUnaligned(fromByteOffset: 10 + length + $0 * 4, as: UInt32.self)
        return Float(bitPattern: UInt32(littleEndian: bits))
      }
    }
  }

  public func row(_ index: Int) -> ArraySlice<Float> { values[index * columns..<(index + 1) * columns] }

  public func write(to path: String) throws(ModelError) {
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), \(columns)), }"
    // The data begins at a multiple of 64 bytes, as NumPy writes it.
    while (10 + header.utf8.count + 1) % 64 != 0 { header += " " }
    header += "\n"
    var bytes = Self.magic + [UInt8(header.utf8.count & 0xFF), UInt8(header.utf8.count >> 8)] + header.utf8
    bytes.reserveCapacity(bytes.count + 4 * values.count)
    for value in values {
      withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }
    try ModelFile.write(bytes, to: path)
  }
}
