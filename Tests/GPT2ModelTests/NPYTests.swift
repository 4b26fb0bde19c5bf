import GPT2Model
import TestSupport
import Testing

struct NPYTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A version 1.0 file.
  static func file(
    header: String, data: [UInt8], magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0]
  ) -> [UInt8] {
    magic + [UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)] + Array(header.utf8) + data
  }

  @Test(arguments: [(0, 5), (1, 1), (3, 7), (2, 300)])
  func comesBackTheSame(_ rows: Int, _ columns: Int) throws {
    var random = RandomStream(seed: 1)
    var values = random.floats(rows * columns)
    if !values.isEmpty { values[0] = -0 }
    let array = NPY(rows: rows, columns: columns, values: values)
    try array.write(to: folder("a.npy"))
    let read = try NPY(path: folder("a.npy"))
    expectEqual(read.rows, rows)
    expectEqual(read.columns, columns)
    expectNil(firstBitDifference(read.values, values))
    for row in 0..<rows {
      expectEqual(Array(read.row(row)), Array(values[row * columns..<(row + 1) * columns]))
    }
    let bytes = try folder.bytes(of: "a.npy")
    let headerLength: Int = Int(bytes[8]) + 256 * Int(bytes[9])
    #expect((10 + headerLength) % 64 == 0)
    try expectEqual(folder.contents(), ["a.npy"])
  }

  /// Byte for byte what `numpy.save` writes for `numpy.array([[1, -2]], '<f4')`.
  @Test func readsAndWritesWhatNumPyDoes() throws {
    let dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }"
    let header = dictionary + String(repeating: " ", count: 117 - dictionary.utf8.count) + "\n"
    let bytes = Self.file(header: header, data: [0, 0, 128, 63, 0, 0, 0, 192])
    let array = try NPY(path: folder.write(bytes, to: "numpy.npy"))
    expectEqual(array, NPY(rows: 1, columns: 2, values: [1, -2]))
    try array.write(to: folder("own.npy"))
    try expectEqual(folder.bytes(of: "own.npy"), bytes)
  }

  static let malformed: [(says: String, bytes: [UInt8])] = {
    let four: [UInt8] = [0, 0, 0, 0]
    func header(_ descr: String, _ order: String, _ shape: String) -> String {
      "{'descr': '\(descr)', 'fortran_order': \(order), 'shape': \(shape), }\n"
    }
    let good = file(header: header("<f4", "False", "(1, 1)"), data: four)
    return [
      ("not a .npy file", []), ("not a .npy file", Array(good[..<9])),
      ("not a .npy file", [UInt8](repeating: 0, count: 80)),
      (
        "not a .npy file",
        file(header: header("<f4", "False", "(1, 1)"), data: four, magic: Array(good[..<6]) + [2, 0])
      ),
      ("truncated within the header", Array(good[..<20])),
      ("data: found 3 bytes, expected 4", Array(good.dropLast())),
      ("data: found 5 bytes, expected 4", good + [0]),
      ("header: found", file(header: header("<f8", "False", "(1, 1)"), data: four + four)),
      ("header: found", file(header: header(">f4", "False", "(1, 1)"), data: four)),
      ("header: found", file(header: header("<f4", "True", "(1, 1)"), data: four)),
      ("shape: found", file(header: header("<f4", "False", "(1,)"), data: four)),
      ("shape: found", file(header: header("<f4", "False", "(1, 1, 1)"), data: four)),
      ("shape: found", file(header: header("<f4", "False", "()"), data: four)),
      ("shape: found", file(header: header("<f4", "False", "(-1, -1)"), data: four)),
      ("shape: found", file(header: header("<f4", "False", "(4611686018427387904, 4)"), data: four)),
      ("shape: found", file(header: header("<f4", "False", "(99999999999999999999, 1)"), data: four)),
      ("shape: found", file(header: header("<f4", "False", "1, 1"), data: four)),
      ("shape: found", file(header: header("<f4", "False", "("), data: four)),
      ("data: found 4 bytes", file(header: header("<f4", "False", "(1048576, 1048576)"), data: four)),
    ]
  }()

  @Test(arguments: malformed.indices)
  func aMalformedFileIsRefused(_ index: Int) throws {
    let path = try folder.write(Self.malformed[index].bytes, to: "a.npy")
    let text = refusal(naming: path) { try NPY(path: path) } ?? "accepted"
    #expect(text.contains(Self.malformed[index].says) && text.hasPrefix(path), "\(text)")
  }

  @Test func anyHeaderBytesAreReadOrRefused() throws {
    try NPY(rows: 2, columns: 3, values: [1, 2, 3, 4, 5, 6]).write(to: folder("good.npy"))
    let good = try folder.bytes(of: "good.npy")
    var random = RandomStream(seed: 5)
    for _ in 0..<200 {
      var bytes = good
      bytes[Int(random.next() % 70)] = UInt8(truncatingIfNeeded: random.next())
      let path = try folder.write(bytes, to: "a.npy")
      let text = refusal(naming: path) { try NPY(path: path) } ?? path
      #expect(text.hasPrefix(path), "\(text)")
    }
  }

  @Test func whatCannotBeReadOrWrittenIsRefused() throws {
    let missing = folder("none/a.npy")
    expectEqual(refusal(naming: missing) { try NPY(path: missing) }?.contains("cannot be read"), true)
    let array = NPY(rows: 1, columns: 1, values: [0])
    expectEqual(
      refusal(naming: missing) { try array.write(to: missing) }?.contains("cannot be written"), true)
    #expect(try folder.contents().isEmpty)
  }
}
