import TestSupport

/// A valid file, what of it describes the rest, and the ways in which that is made wrong.
struct MutatedFile {
  /// As the file is called.
  let name: String
  let bytes: [UInt8]
  /// Bytes from the start that describe the rest.
  let header: Int
  /// Little-endian integers in the header.
  var integers: [Range<Int>] = []
  /// The part of the header that is JSON, if there is one.
  var json: Range<Int>?
  /// Whole files that are wrong in a way of their own.
  var special: [[UInt8]] = []
}

/// What is done to a valid file, drawn from a seed.
struct HeaderMutations {
  private let file: MutatedFile
  private var random: RandomStream

  init(_ file: MutatedFile, seed: UInt64) {
    self.file = file
    random = RandomStream(seed: seed)
  }

  /// At most `count` of each kind, and twice as many of JSON's.
  mutating func draw(_ count: Int) -> [[UInt8]] {
    var all = file.special
    all += pick(count, of: truncations()).map { Array(file.bytes[..<$0]) }
    all += flips(count)
    for (place, value) in pick(count, of: Self.pairs(file.integers, Self.integers)) {
      all.append(overwritten(place, by: value))
    }
    if let json = file.json {
      let values = Self.values(in: file.bytes, json)
      for (place, text) in pick(2 * count, of: Self.pairs(values, Self.texts)) {
        all.append(rewritten(place, by: Array(text.utf8)))
      }
    }
    return all
  }

  /// Lengths at the edges of fields, within them, and at the ends of header and file.
  private func truncations() -> [Int] {
    var lengths: Set<Int> = [
      0, 1, 3, 4, 7, 8, 9, file.header - 1, file.header, file.header + 1, file.bytes.count - 1,
    ]
    for field in file.integers {
      lengths.formUnion([field.lowerBound, field.lowerBound + 1, field.upperBound])
    }
    if file.integers.isEmpty { lengths.formUnion(stride(from: 10, to: file.header, by: 13)) }
    return lengths.filter { 0..<file.bytes.count ~= $0 }.sorted()
  }

  private mutating func flips(_ count: Int) -> [[UInt8]] {
    (0..<count).map { _ in
      var bytes = file.bytes
      for _ in 0...random.next() % 3 {
        bytes[Int(random.next() % UInt64(file.header))] ^= 1 << UInt8(random.next() % 8)
      }
      return bytes
    }
  }

  private static let integers: [UInt64] = [
    0, 1, .max, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, UInt64(Int.max), 1 << 63, 1 << 40, 1 << 20, 1_000_003,
  ]

  private func overwritten(_ place: Range<Int>, by value: UInt64) -> [UInt8] {
    var bytes = file.bytes
    for (index, byte) in place.enumerated() {
      bytes[byte] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))
    }
    return bytes
  }

  /// What takes the place of a number or a string of JSON.
  private static let texts = [
    "0", "-1", "1", "1.5", "1e400", "-0", "4294967296", "9223372036854775807", "9223372036854775808",
    "99999999999999999999999", "\"1\"", "\"\"", "null", "true", "[]", "{}", "[[[[[[]]]]]]", "", ",",
    "\"\\u0000\"", String(repeating: "[", count: 20_000), String(repeating: "{\"a\":", count: 20_000),
    "\"" + String(repeating: "x", count: 100_000) + "\"",
  ]

  private static func pairs<First, Second>(_ first: [First], _ second: [Second]) -> [(First, Second)] {
    first.flatMap { one in second.map { (one, $0) } }
  }

  /// The file with other text in its JSON, and the length before it put right where there is one.
  private func rewritten(_ place: Range<Int>, by text: [UInt8]) -> [UInt8] {
    var bytes = file.bytes
    bytes.replaceSubrange(place, with: text)
    if let json = file.json, json.lowerBound == 8 {
      let length = UInt64(json.count + text.count - place.count)
      bytes.replaceSubrange(0..<8, with: littleEndian(length))
    }
    return bytes
  }

  /// Where numbers and strings lie.
  private static func values(in bytes: [UInt8], _ json: Range<Int>) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var position = json.lowerBound
    while position < json.upperBound {
      let start = position
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        position += 1
        while position < json.upperBound, bytes[position] != byte {
          position += bytes[position] == 0x5C ? 2 : 1
        }
        position += 1
        found.append(start..<min(position, json.upperBound))
      } else if "-0123456789".utf8.contains(byte) {
        while position < json.upperBound, "-+.eE0123456789".utf8.contains(bytes[position]) { position += 1 }
        found.append(start..<position)
      } else {
        position += 1
      }
    }
    return found
  }

  private mutating func pick<Element>(_ count: Int, of all: [Element]) -> [Element] {
    all.count <= count ? all : Array(all.shuffled(using: &random).prefix(count))
  }
}
