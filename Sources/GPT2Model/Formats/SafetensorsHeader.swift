import Foundation

/// The table of contents of a `.safetensors` file: eight bytes of header length (little-endian), a JSON
/// object from tensor names to dtype, shape and offsets, then the data. Format:
/// https://github.com/huggingface/safetensors (README, "Format").
struct SafetensorsHeader: Equatable {
  struct Entry: Equatable {
    var dtype: String
    var shape: [Int]
    /// Bytes from the start of the data section.
    var offsets: Range<Int>
  }

  /// The longest header that the reference implementation accepts.
  static let longestHeader = 100_000_000

  private static let elementSizes = [
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "I16": 2, "U16": 2, "F16": 2,
    "BF16": 2, "I32": 4, "U32": 4, "F32": 4, "F64": 8, "I64": 8, "U64": 8,
  ]

  private(set) var entries: [String: Entry] = [:]
  private(set) var metadata: [String: String] = [:]
  /// Where the data section begins in the file.
  private(set) var dataStart: Int

  /// - Parameters:
  ///   - file: the file's bytes, whole.
  ///   - path: for errors.
  init(file: UnsafeRawBufferPointer, path: String) throws(ModelError) {
    guard file.count >= 8 else {
      throw .malformed(
        path: path, problem: "truncated: \(file.count) bytes, expected a safetensors header of at least 8")
    }
    let declared = UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
    guard declared <= UInt64(Self.longestHeader), Int(declared) <= file.count - 8 else {
      throw .field(
        path: path, field: "header length", found: "\(declared)",
        expected: "at most \(min(Self.longestHeader, file.count - 8)), which the file can hold")
    }
    dataStart = 8 + Int(declared)
    let json = Data(UnsafeRawBufferPointer(rebasing: file[8..<dataStart]))
    guard let object = try? JSONSerialization.jsonObject(with: json) as? [String: Any] else {
      throw .malformed(path: path, problem: "the safetensors header is not a JSON object")
    }
    let dataBytes = file.count - dataStart
    for (name, value) in object {
      if name == "__metadata__" {
        guard let strings = value as? [String: String] else {
          throw .field(
            path: path, field: "__metadata__", found: "something else",
            expected: "an object of strings")
        }
        metadata = strings
      } else {
        entries[name] = try Self.entry(value, name: name, dataBytes: dataBytes, path: path)
      }
    }
    let end = entries.values.map(\.offsets.upperBound).max() ?? 0
    guard end == dataBytes else {
      throw .field(
        path: path, field: "size", found: "\(dataStart + dataBytes) bytes",
        expected: "\(dataStart + end), where its last tensor ends")
    }
    try refuseOverlaps(path: path)
  }

  private func refuseOverlaps(path: String) throws(ModelError) {
    let places = entries.filter { !$0.value.offsets.isEmpty }
      .sorted { ($0.value.offsets.lowerBound, $0.key) < ($1.value.offsets.lowerBound, $1.key) }
    for (first, second) in zip(places, places.dropFirst())
    where second.value.offsets.lowerBound < first.value.offsets.upperBound {
      let found = second.value.offsets
      throw .tensor(
        path: path, name: second.key, property: "data_offsets",
        found: "[\(found.lowerBound), \(found.upperBound)]", expected: "none of the bytes of \(first.key)")
    }
  }

  private static func entry(
    _ value: Any, name: String, dataBytes: Int, path: String
  ) throws(ModelError) -> Entry {
    guard let fields = value as? [String: Any] else {
      throw .tensor(
        path: path, name: name, property: "its entry", found: "not an object",
        expected: "an object with dtype, shape and data_offsets")
    }
    guard let dtype = fields["dtype"] as? String else {
      throw .tensor(
        path: path, name: name, property: "dtype", found: "missing or not a string",
        expected: "for example F32")
    }
    guard let shape = fields["shape"] as? [Int], shape.allSatisfy({ $0 >= 0 }) else {
      throw .tensor(
        path: path, name: name, property: "shape", found: "missing or not a list of sizes",
        expected: "a list of whole numbers")
    }
    guard let pair = fields["data_offsets"] as? [Int], pair.count == 2 else {
      throw .tensor(
        path: path, name: name, property: "data_offsets", found: "missing or not a pair",
        expected: "[begin, end]")
    }
    guard pair[0] >= 0, pair[0] <= pair[1], pair[1] <= dataBytes else {
      throw .tensor(
        path: path, name: name, property: "data_offsets", found: "\(pair)",
        expected: "a range within the file's \(dataBytes) bytes of data (is the file truncated?)")
    }
    if let size = elementSizes[dtype] {
      let (elements, overflow) = shape.reduce((1, false)) { total, size in
        let product = total.0.multipliedReportingOverflow(by: size)
        return (product.partialValue, total.1 || product.overflow)
      }
      let bytes = elements.multipliedReportingOverflow(by: size)
      guard !overflow, !bytes.overflow, bytes.partialValue == pair[1] - pair[0] else {
        throw .tensor(
          path: path, name: name, property: "data", found: "\(pair[1] - pair[0]) bytes",
          expected: "the size of shape \(shape) in \(dtype)")
      }
    }
    return Entry(dtype: dtype, shape: shape, offsets: pair[0]..<pair[1])
  }
}
