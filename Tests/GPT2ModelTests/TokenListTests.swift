import GPT2Model
import TestSupport
import Testing

struct TokenListTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func npy(_ type: String, shape: String, _ data: [UInt8]) throws -> String {
    let header = "{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }\n"
    return try folder.write(NPYTests.file(header: header, data: data), to: "ids.npy")
  }

  private func littleEndian(_ ids: [Int], bytes: Int) -> [UInt8] {
    ids.flatMap { id in (0..<bytes).map { UInt8(truncatingIfNeeded: id >> (8 * $0)) } }
  }

  @Test(arguments: [
    ("|u1", 1), ("|i1", 1), ("<u2", 2), ("<i2", 2), ("<u4", 4), ("<i4", 4), ("<u8", 8), ("<i8", 8),
  ])
  func idsOfEveryWidthAreRead(_ type: String, _ bytes: Int) throws {
    let ids = [0, 1, 127, 5, 90]
    let path = try npy(type, shape: "(5,)", littleEndian(ids, bytes: bytes))
    #expect(TokenList.isNPY(path))
    let list = try TokenList(npy: path, vocabulary: 128)
    expectEqual(list.count, 5)
    expectEqual(list.ids(0..<5), [0, 1, 127, 5, 90])
    expectEqual(list.ids(2..<4), [127, 5])
    expectEqual(list.ids(3..<3), [])
    expectEqual(list[1..<4].count, 3)
    expectEqual(list[1..<4].ids(1..<3), [127, 5])
    expectEqual(list[1..<4][2..<3].ids(0..<1), [5])
    expectEqual(list.digest, 0x32FE_1947_9AC5_4331)
  }

  static let malformed: [(says: String, type: String, shape: String, data: [UInt8])] = [
    ("descr: found <f4, expected whole numbers", "<f4", "(1,)", [0, 0, 0, 0]),
    ("descr: found >i4, expected whole numbers", ">i4", "(1,)", [0, 0, 0, 0]),
    ("shape: found [2, 2], expected one dimension", "|u1", "(2, 2)", [0, 0, 0, 0]),
    ("shape: found [], expected one dimension", "|u1", "()", [0]),
    ("data: found 3 bytes, expected 4 for shape (2,)", "<u2", "(2,)", [0, 0, 0]),
    ("data: found 1 bytes, expected less than shape", "<u8", "(4611686018427387904,)", [0]),
    ("[2]: found 10, expected a token below the vocabulary's 10", "|u1", "(3,)", [9, 0, 10]),
    ("[1]: found -1, expected a token below the vocabulary's 10", "<i2", "(2,)", [9, 0, 255, 255]),
    ("[0]: found -1, expected", "<u8", "(1,)", [UInt8](repeating: 255, count: 8)),
  ]

  @Test(arguments: malformed.indices)
  func aWrongArrayIsRefused(_ index: Int) throws {
    let wrong = Self.malformed[index]
    let path = try npy(wrong.type, shape: wrong.shape, wrong.data)
    let text = refusal(naming: path) { try TokenList(npy: path, vocabulary: 10) } ?? "accepted"
    expectContains(text, wrong.says, comment: "\(text)")
  }

  @Test func whatIsNoArrayIsRefused() throws {
    let text = try folder.write("a text", to: "text")
    #expect(!TokenList.isNPY(text) && !TokenList.isNPY(folder("none")) && !TokenList.isNPY(folder.path))
    expectEqual(
      refusal(naming: text) { try TokenList(npy: text, vocabulary: 10) },
      "\(text): not a .npy file of version 1.0"
    )
    let empty = try folder.write("", to: "empty")
    expectEqual(
      refusal(naming: empty) { try TokenList(npy: empty, vocabulary: 10) }, "\(empty): the file is empty")
  }

  @Test(arguments: [300, 65_536, 65_537, 1 << 20])
  func aListIsKeptInAFileThatNoFolderNames(_ vocabulary: Int) throws {
    var random = RandomStream(seed: 2)
    let ids = random.ids(70_000, below: vocabulary) + [vocabulary - 1]
    var rest = ids[...]
    let list = try TokenList(inFolder: folder.path, vocabulary: vocabulary) {
      guard !rest.isEmpty else { return nil }
      defer { rest = rest.dropFirst(1_000) }
      return Array(rest.prefix(1_000))
    }
    #expect(try folder.contents().isEmpty)
    expectEqual(list.count, ids.count)
    expectEqual(list.ids(0..<ids.count), ids.map { Int32($0) })
  }

  @Test func theDigestIsOfTheIDsAndTheirOrder() throws {
    func list(_ ids: [Int], vocabulary: Int = 100) throws -> TokenList {
      var rest: [Int]? = ids
      return try TokenList(inFolder: folder.path, vocabulary: vocabulary) {
        defer { rest = nil }
        return rest
      }
    }
    let some = try list([1, 2, 3])
    try expectEqual(list([1, 2, 3], vocabulary: 1 << 20).digest, some.digest)
    try expectEqual(list([0, 1, 2, 3, 4])[1..<4].digest, some.digest)
    let others = try [[], [0], [1, 2], [2, 1, 3], [1, 2, 4], [1, 2, 3, 0], [0, 1, 2, 3]].map {
      try list($0).digest
    }
    expectEqual(Set(others + [some.digest]).count, 8)
    #expect(try list([]).count == 0 && list([]).ids(0..<0) == [])
  }

  @Test func aFolderThatCannotBeWrittenIsNamed() throws {
    let text = refusal(naming: folder("none")) {
      try TokenList(inFolder: folder("none"), vocabulary: 10) { nil }
    }
    expectEqual(
      text?.contains("cannot be written: no such file or directory, for the tokens of the text"), true)
  }
}
