import Foundation
import TestSupport
import Testing

@testable import Measurement

private struct Pair: Codable, Equatable {
  var a: Double
  var b: Double
}

private struct Failed: Error, CustomStringConvertible {
  var description: String { "weights.bin: truncated:\nexpected 12 bytes" }
}

/// What a loop with a few operations answers to the lines of `input`.
private func answers(to input: String) throws -> [String] {
  var loop = WorkerLoop()
  loop.on("divide") { (pair: Pair) in ["quotient": pair.a / pair.b] }
  loop.on("fail") { (_: Empty) throws -> Empty in throw Failed() }
  let requests = Pipe()
  let replies = Pipe()
  try requests.fileHandleForWriting.write(contentsOf: Data(input.utf8))
  try requests.fileHandleForWriting.close()
  loop.serve(
    input: requests.fileHandleForReading.fileDescriptor,
    output: replies.fileHandleForWriting.fileDescriptor)
  try replies.fileHandleForWriting.close()
  let text = String(decoding: try replies.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
  return text.split(separator: "\n").map(String.init)
}

struct WorkerLoopTests {
  @Test func requestsAreDispatchedByName() throws {
    let lines = try answers(
      to: """
        {"id":1,"operation":"divide","payload":{"a":3,"b":2}}
        {"id":2,"operation":"divide","payload":{"a":1,"b":4}}

        """)
    expectEqual(
      lines,
      [
        #"{"id":1,"ok":true,"result":{"quotient":1.5}}"#,
        #"{"id":2,"ok":true,"result":{"quotient":0.25}}"#,
      ])
  }

  @Test func quitEndsTheLoop() throws {
    let lines = try answers(
      to: """
        {"id":1,"operation":"quit"}
        {"id":2,"operation":"divide","payload":{"a":1,"b":4}}

        """)
    expectEqual(lines, [#"{"id":1,"ok":true,"result":{}}"#])
  }

  @Test func badRequestsAreAnsweredAndTheLoopGoesOn() throws {
    let lines = try answers(
      to: """
        what is this

        {"id":"1","operation":"divide"}
        {"id":3,"operation":"multiply"}
        {"id":4,"operation":"divide","payload":{"a":1}}
        {"id":5,"operation":"divide"}
        {"id":6,"operation":"fail"}
        {"id":7,"operation":"divide","payload":{"a":1,"b":0}}
        {"id":8,"operation":"divide","payload":{"a":6,"b":3}}
        """)
    expectEqual(
      lines,
      [
        #"{"error":"malformed request: not JSON","id":null,"ok":false}"#,
        #"{"error":"malformed request: field id is not a Int","id":null,"ok":false}"#,
        #"{"error":"unknown operation multiply, expected one of: divide, fail, quit","id":3,"ok":false}"#,
        #"{"error":"request divide: no field payload.b","id":4,"ok":false}"#,
        #"{"error":"request divide: no field payload","id":5,"ok":false}"#,
        #"{"error":"weights.bin: truncated: expected 12 bytes","id":6,"ok":false}"#,
        #"{"error":"the result cannot be written: field result.quotient cannot be written: inf","id":7,"ok":false}"#,
        #"{"id":8,"ok":true,"result":{"quotient":2}}"#,
      ])
  }

  @Test func linesArriveInPieces() {
    var buffer = LineBuffer()
    buffer.append(Data("ab".utf8))
    expectNil(buffer.nextLine())
    buffer.append(Data("c\n\nde\nf".utf8))
    expectEqual(buffer.nextLine(), Data("abc".utf8))
    expectEqual(buffer.nextLine(), Data())
    expectEqual(buffer.nextLine(), Data("de".utf8))
    expectNil(buffer.nextLine())
    expectEqual(buffer.count, 1)
    expectEqual(buffer.remainder(), Data("f".utf8))
    expectNil(buffer.remainder())
  }
}
