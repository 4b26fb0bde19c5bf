import Foundation
import NumberFormats

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

  public init(path: String) throws(ModelError) {
    let bytes = [UInt8](try ModelFile.read(path))
    let header = try NPYHeader(bytes[...], path: path)
    try header.expect(
      header.type == "<f4" && !header.isFortranOrder, "header", found: header.text,
      expected: "descr '<f4' in C order")
    let limit = Configuration.largestDimensions.any
    try header.expect(
      header.shape.count == 2 && header.shape.allSatisfy { $0 <= limit }, "shape", found: header.text,
      expected: "two dimensions")
    (rows, columns) = (header.shape[0], header.shape[1])
    try header.expectData(bytes.count, valueBytes: 4)
    let count = rows * columns
    values = [Float](unsafeUninitializedCapacity: count) { values, initialized in
      guard let target = values.baseAddress else { return }
      bytes.withUnsafeBytes {
        TensorEncoding.float32.decode($0.baseAddress! + header.dataStart, count, to: target)
      }
      initialized = count
    }
  }

  public func row(_ index: Int) -> ArraySlice<Float> { values[index * columns..<(index + 1) * columns] }

  public func write(to path: String) throws(ModelError) {
    var bytes = NPYHeader.bytes(type: "<f4", shape: [rows, columns])
    bytes.reserveCapacity(bytes.count + 4 * values.count)
    for value in values {
      withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }
    try ModelFile.write(bytes, to: path)
  }
}

/// What a `.npy` file of version 1.0 says of its values.
struct NPYHeader: FileReader {
  let path: String
  /// As it stands in the file.
  let text: String
  /// NumPy's: byte order, kind and bytes, `<f4`.
  let type: String
  let isFortranOrder: Bool
  let shape: [Int]
  /// Bytes from the start of the file.
  let dataStart: Int

  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]

  /// The longest that a header is.
  static let longest = 10 + 0xFFFF

  /// - Parameter file: all of it, or its first `longest` bytes.
  init(_ file: ArraySlice<UInt8>, path: String) throws(ModelError) {
    self.path = path
    guard file.count >= 10, file[0..<8].elementsEqual(Self.magic) else {
      throw .malformed(path: path, problem: "not a .npy file of version 1.0")
    }
    dataStart = 10 + Int(file[8]) + Int(file[9]) << 8
    guard file.count >= dataStart else {
      throw .malformed(path: path, problem: "truncated within the header")
    }
    let text = String(decoding: file[10..<dataStart], as: UTF8.self).trimmingCharacters(
      in: .whitespacesAndNewlines)
    self.text = text
    // Python's spelling of a dictionary, as NumPy writes it: {'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }
    func value(_ name: String, from opening: String, to closing: Character) -> Substring? {
      guard let start = text.range(of: "'\(name)': \(opening)")?.upperBound,
        let end = text[start...].firstIndex(of: closing)
      else { return nil }
      return text[start..<end]
    }
    type = value("descr", from: "'", to: "'").map(String.init) ?? ""
    isFortranOrder = !text.contains("'fortran_order': False")
    let sizes = value("shape", from: "(", to: ")")?.split(separator: ",")
      .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }.map { Int($0) ?? -1 }
    guard let sizes, sizes.allSatisfy({ $0 >= 0 }) else {
      throw .field(path: path, field: "shape", found: text, expected: "dimensions in brackets")
    }
    shape = sizes
  }

  /// Refuses a file that does not hold the shape's values and nothing else.
  func expectData(_ fileBytes: Int, valueBytes: Int) throws(ModelError) {
    var bytes = (partialValue: valueBytes, overflow: false)
    for size in shape where !bytes.overflow {
      bytes = bytes.partialValue.multipliedReportingOverflow(by: size)
    }
    let found = fileBytes - dataStart
    let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    try expect(
      !bytes.overflow && found == bytes.partialValue, "data", found: "\(found) bytes",
      expected: bytes.overflow ? "less than shape (\(sizes))" : "\(bytes.partialValue) for shape (\(sizes))")
  }

  /// What a file begins with. The data begins at a multiple of 64 bytes, as NumPy writes it.
  static func bytes(type: String, shape: [Int]) -> [UInt8] {
    let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(sizes)), }"
    while (10 + header.utf8.count + 1) % 64 != 0 { header += " " }
    header += "\n"
    return magic + [UInt8(header.utf8.count & 0xFF), UInt8(header.utf8.count >> 8)] + header.utf8
  }
}
