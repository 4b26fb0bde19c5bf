import Foundation
import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

@testable import Training

struct TrainingCheckpointTests {
  let folder: TemporaryFolder
  let configuration: Configuration
  var options = TrainingOptions()

  /// What a command keeps with a checkpoint.
  struct Journal: Codable, Equatable {
    var losses: [Double]
    var note: String?
  }

  init() throws {
    folder = try TemporaryFolder()
    configuration = try Configuration(layers: 2, heads: 2, channels: 8, vocabulary: 20, context: 6)
    (options.batch, options.accumulate, options.context, options.steps, options.warmup) = (2, 2, 5, 10, 2)
    options.dropout = 0.1
  }

  private func data(_ ids: Int = 200, validation share: Double = 0.1) throws -> TokenData {
    var random = RandomStream(seed: UInt64(ids))
    let tokens = random.ids(ids, below: 20)
    let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (\(ids),), }\n"
    let start: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0]
    let path = try folder.write(start + Array(header.utf8) + tokens.map { UInt8($0) }, to: "ids\(ids).npy")
    return try TokenData(npy: path, vocabulary: 20, validation: share, context: options.context)
  }

  private func trainer(_ threads: Int = 1) throws -> Trainer {
    try Trainer(initialising: configuration, variant: .preferred, threads: threads, options: options)
  }

  private func train(_ trainer: Trainer, _ data: TokenData, steps: Int) throws {
    for _ in 0..<steps {
      _ = try trainer.step(
        data.windows(
          step: trainer.stepCount, count: options.windowsPerStep, order: .random, seed: options.seed))
    }
  }

  private func save(_ trainer: Trainer, _ data: TokenData, _ losses: [Double] = [], to name: String = "out")
    throws
  {
    try TrainingCheckpoint.save(
      trainer, order: .random, data: data.identity, journal: Journal(losses: losses, note: "é \"quoted\""),
      ends: [19], to: folder(name))
  }

  private func resumed(_ name: String = "out") throws -> Trainer {
    let saved = try TrainingCheckpoint(folder: folder(name))
    let trainer = try Trainer(saved.model, variant: .preferred, threads: 1, options: saved.progress.options)
    try saved.restore(trainer)
    return trainer
  }

  private func firstDifference(_ a: Trainer, _ b: Trainer) -> String? {
    for state in Trainer.State.allCases {
      for (index, parameter) in configuration.parameters.enumerated() {
        if let place = firstBitDifference(a.values(state, of: index), b.values(state, of: index)) {
          return "\(state) of \(parameter.name) at \(place)"
        }
      }
    }
    return a.stepCount == b.stepCount ? nil : "steps \(a.stepCount) and \(b.stepCount)"
  }

  @Test func aResumedTrainingIsTheUnbrokenOneToTheBit() throws {
    let data = try self.data()
    let unbroken = try trainer()
    try train(unbroken, data, steps: 3)
    try save(unbroken, data, [3, 2.5, 0.1])
    let second = try resumed()
    expectNil(firstDifference(second, unbroken))
    expectEqual(second.stepCount, 3)
    try train(unbroken, data, steps: 4)
    try train(second, data, steps: 4)
    expectNil(firstDifference(second, unbroken))
    expectEqual(second.stepCount, 7)
    let saved = try TrainingCheckpoint(folder: folder("out"))
    expectEqual(
      saved.progress, TrainingProgress(options: options, order: .random, data: data.identity, step: 3))
    try expectEqual(saved.journal(), Journal(losses: [3, 2.5, 0.1], note: "é \"quoted\""))
  }

  @Test func theFolderIsAModel() throws {
    let trainer = try self.trainer()
    try save(trainer, data())
    try expectEqual(
      FileManager.default.contentsOfDirectory(atPath: folder("out")).sorted(),
      [
        "config.json", "model.safetensors", "training-state.safetensors",
      ])
    let model = try Checkpoint(folder: folder("out"))
    expectEqual(model.configuration, configuration)
    for index in configuration.parameters.indices {
      expectNil(firstBitDifference(model.tensor(at: index), trainer.values(.parameters, of: index)))
    }
    try expectEqual(ModelSource(folder("out")).endTokens(for: configuration), [19])
  }

  /// A process that is killed leaves a temporary file at most: the checkpoint before is what is resumed.
  @Test func aCheckpointThatWasNotFinishedHidesNothing() throws {
    let (trainer, data) = try (self.trainer(), self.data())
    try train(trainer, data, steps: 1)
    try save(trainer, data)
    let before = try resumed()
    try train(trainer, data, steps: 1)
    try save(trainer, data, to: "next")
    let next = try folder.bytes(of: "next/\(TrainingCheckpoint.fileName)")
    for share in [0, 1, 2, 3, 4] {
      try folder.write(
        next.prefix(next.count * share / 4), to: "out/.\(TrainingCheckpoint.fileName).\(UUID().uuidString)")
      try expectNil(firstDifference(resumed(), before))
    }
    try expectEqual(FileManager.default.contentsOfDirectory(atPath: folder("out")).count, 8)
    try save(before, data)
    try expectEqual(FileManager.default.contentsOfDirectory(atPath: folder("out")).count, 3)
    // Killed between the state and the model: both are whole, and the state counts.
    try folder.write(next, to: "out/\(TrainingCheckpoint.fileName)")
    try expectNil(firstDifference(resumed(), trainer))
    try expectEqual(Checkpoint(folder: folder("out")).configuration, configuration)
  }

  @Test func whatCannotBeWrittenLeavesTheCheckpoint() throws {
    let (trainer, data) = try (self.trainer(), self.data())
    try save(trainer, data)
    let good = try folder.bytes(of: "out/\(TrainingCheckpoint.fileName)")
    try folder.write("a file", to: "file")
    expectEqual(
      message { try save(trainer, data, to: "file/out") }?
        .hasPrefix("\(folder("file/out/\(TrainingCheckpoint.fileName)")): cannot be written: "), true)
    // A folder stands where the model is to be.
    try FileManager.default.removeItem(atPath: folder("out/model.safetensors"))
    try FileManager.default.createDirectory(
      atPath: folder("out/model.safetensors"), withIntermediateDirectories: true)
    expectEqual(
      message { try save(trainer, data) },
      "\(folder("out/model.safetensors")): cannot be written: is a folder")
    try expectEqual(folder.bytes(of: "out/\(TrainingCheckpoint.fileName)"), good)
  }

  @Test func whatIsNoTrainingIsNamed() throws {
    func text(_ name: String = "out") -> String? { message { try TrainingCheckpoint(folder: folder(name)) } }
    let state = "out/\(TrainingCheckpoint.fileName)"
    let path = folder(state)
    expectEqual(
      text("none"),
      "\(folder("none")): no training-state.safetensors in it, expected the folder of a training")
    try save(trainer(), data())
    let good = try folder.bytes(of: state)

    var bytes = good
    bytes[good.count / 2] ^= 4
    try folder.write(bytes, to: state)
    expectEqual(text()?.hasPrefix("\(path): tensor digest: the value is "), true)
    try folder.write(good.dropLast(1), to: state)
    expectEqual(text()?.hasPrefix("\(path): "), true)
    try folder.write([], to: state)
    expectEqual(text(), "\(path): the file is empty")
    try folder.write(folder.bytes(of: "out/model.safetensors"), to: state)
    expectEqual(text(), "\(path): tensor digest is missing")

    let json = NewTensor("training.json", .bytes, shape: [80])
    for (document, says) in [
      ("{", "training.json: not valid JSON at the file"),
      ("{\"version\": 2}", "training.json: version: found 2, expected 1"),
      ("{}", "training.json: version: found nothing, expected a value"),
      ("{\"version\": 1}", "training.json: progress: found nothing, expected a value"),
      ("{\"version\": 1, \"progress\": {\"step\": \"3\"}}", "training.json: progress."),
    ] {
      try SealedTensors.write(configuration, [json], to: path) { values, _ in
        values.initialize(repeating: 0)
      } _: { target, _ in
        target.copyBytes(from: (document + String(repeating: " ", count: 80)).utf8.prefix(80))
      }
      expectEqual(text()?.contains(says), true, "\(text() ?? "accepted")")
    }
    try SealedTensors.write(configuration, [], to: path) { values, _ in
      values.initialize(repeating: 0)
    } _: { _, _ in
    }
    expectEqual(text(), "\(path): tensor training.json is missing")
  }

  /// The numbers of a checkpoint that is whole are not believed either.
  @Test func whatNoTrainingCanHaveIsNamed() throws {
    let identity = try data().identity
    let path = folder("out/\(TrainingCheckpoint.fileName)")
    func text(steps: Int, done: Int, context: Int = 5) throws -> String? {
      var options = self.options
      (options.steps, options.context) = (steps, context)
      struct Document: Encodable {
        let version = 1
        let progress: TrainingProgress
      }
      let document = try JSONEncoder().encode(
        Document(
          progress: TrainingProgress(options: options, order: .sequential, data: identity, step: done)))
      try FileManager.default.createDirectory(atPath: folder("out"), withIntermediateDirectories: true)
      let json = NewTensor("training.json", .bytes, shape: [document.count])
      try SealedTensors.write(configuration, [json], to: path) { values, _ in
        values.initialize(repeating: 0)
      } _: { target, _ in
        target.copyBytes(from: document)
      }
      return message { try TrainingCheckpoint(folder: folder("out")) }
    }
    let field = "\(path): training.json: progress"
    try expectEqual(
      text(steps: 10, done: 11),
      "\(field).step: found 11, expected a number from 0 to 10, the steps of the training")
    try expectEqual(text(steps: 10, done: -1)?.hasPrefix("\(field).step: found -1, "), true)
    try expectEqual(
      text(steps: .max, done: .max - 1),
      "\(field).options: steps: found \(Int.max), expected a number from 1 to 1000000000")
    try expectEqual(
      text(steps: 10, done: 1, context: 7),
      "\(field).options: context: found 7, expected a number from 1 to 6, the model's context")
    try expectNil(text(steps: 10, done: 1))
  }

  @Test func aMomentThatIsMissingOrOfAnotherShapeIsNamed() throws {
    let trainer = try self.trainer()
    try save(trainer, data())
    let saved = try TrainingCheckpoint(folder: folder("out"))
    let other = try Trainer(
      initialising: Configuration(layers: 3, heads: 2, channels: 8, vocabulary: 20, context: 6),
      variant: .preferred, threads: 1, options: options)
    expectEqual(
      message { try saved.restore(other) },
      "\(folder("out/\(TrainingCheckpoint.fileName)")): tensor h.2.ln_1.weight is missing")
    expectEqual(
      message { try saved.journal([Int].self) }?
        .hasPrefix("\(folder("out/\(TrainingCheckpoint.fileName)")): journal.json: "), true)
  }

  @Test func otherDataAreRefused() throws {
    let data = try self.data()
    try save(trainer(), data)
    let saved = try TrainingCheckpoint(folder: folder("out"))
    try saved.require(data)
    let state = folder("out/\(TrainingCheckpoint.fileName)")
    expectEqual(
      message { try saved.require(self.data(201)) },
      "\(folder("ids201.npy")): validation tokens: found 21, expected 20, with which \(state) was made")
    var bytes = try folder.bytes(of: "ids200.npy")
    bytes[bytes.count - 1] ^= 1
    try folder.write(bytes, to: "changed.npy")
    let changed = try TokenData(npy: folder("changed.npy"), vocabulary: 20, validation: 0.1, context: 5)
    expectEqual(
      message { try saved.require(changed) }?.hasPrefix("\(folder("changed.npy")): tokens' digest: found "),
      true)
  }
}
