import NumberFormats

/// The header of a GGUF file, version 3, as it is put together.
struct GGUFHeaderBuilder {
  /// Of the data, and of each tensor in them.
  static let alignment = 32

  private var entries: [UInt8] = []
  private var entryCount = 0
  private var tensors: [UInt8] = []
  private var tensorCount = 0
  /// Bytes of the tensors' data, padding included.
  private(set) var dataBytes = 0

  mutating func put(_ key: String, _ text: String) {
    begin(key, .string)
    Self.append(text, to: &entries)
  }

  mutating func put(_ key: String, _ number: Int) {
    begin(key, .uint32)
    Self.append(UInt32(number), to: &entries)
  }

  mutating func put(_ key: String, _ number: Float) {
    begin(key, .float32)
    Self.append(number.bitPattern, to: &entries)
  }

  mutating func put(_ key: String, _ isTrue: Bool) {
    begin(key, .boolean)
    entries.append(isTrue ? 1 : 0)
  }

  mutating func put(_ key: String, _ texts: [String]) {
    begin(key, .array)
    Self.append(GGUFValueType.string.rawValue, to: &entries)
    Self.append(UInt64(texts.count), to: &entries)
    for text in texts { Self.append(text, to: &entries) }
  }

  mutating func put(_ key: String, _ numbers: [Int32]) {
    begin(key, .array)
    Self.append(GGUFValueType.int32.rawValue, to: &entries)
    Self.append(UInt64(numbers.count), to: &entries)
    for number in numbers { Self.append(number, to: &entries) }
  }

  /// - Parameter dimensions: the fastest-running first.
  /// - Returns: where the tensor's bytes lie in the data.
  mutating func putTensor(_ name: String, _ dimensions: [Int], _ encoding: TensorEncoding) -> Range<Int> {
    guard let type = GGMLType.number(of: encoding) else { preconditionFailure("\(encoding) has no number") }
    let start = dataBytes
    let end = start + encoding.bytes(of: dimensions.reduce(1, *))
    Self.append(name, to: &tensors)
    Self.append(UInt32(dimensions.count), to: &tensors)
    for size in dimensions { Self.append(UInt64(size), to: &tensors) }
    Self.append(type, to: &tensors)
    Self.append(UInt64(start), to: &tensors)
    tensorCount += 1
    dataBytes = (end + Self.alignment - 1) / Self.alignment * Self.alignment
    return start..<end
  }

  /// Everything before the data, padding included.
  var bytes: [UInt8] {
    var all = GGUFHeader.magic
    Self.append(UInt32(3), to: &all)
    Self.append(UInt64(tensorCount), to: &all)
    Self.append(UInt64(entryCount), to: &all)
    all += entries + tensors
    return all + [UInt8](repeating: 0, count: (Self.alignment - all.count % Self.alignment) % Self.alignment)
  }

  private mutating func begin(_ key: String, _ type: GGUFValueType) {
    Self.append(key, to: &entries)
    Self.append(type.rawValue, to: &entries)
    entryCount += 1
  }

  private static func append(_ integer: some FixedWidthInteger, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: integer.littleEndian) { bytes.append(contentsOf: $0) }
  }

  private static func append(_ text: String, to bytes: inout [UInt8]) {
    append(UInt64(text.utf8.count), to: &bytes)
    bytes.append(contentsOf: text.utf8)
  }
}
