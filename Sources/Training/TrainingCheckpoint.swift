import Files
import Foundation
import GPT2Model

/// How far a training is, in words and numbers.
public struct TrainingProgress: Codable, Equatable, Sendable {
  public let options: TrainingOptions
  public let order: WindowOrder
  public let data: TokenData.Identity
  /// Steps that are done.
  public let step: Int

  public init(options: TrainingOptions, order: WindowOrder, data: TokenData.Identity, step: Int) {
    (self.options, self.order, self.data, self.step) = (options, order, data, step)
  }
}

/// A training as it can be taken up again, from a folder.
///
/// The folder is a model as Hugging Face lays it out, and beside it `training-state.safetensors`, which holds all that a
/// training goes on from: the parameters once more, both moments of each, and the progress. So a checkpoint is one file,
/// which is there whole or not at all; whenever a training is killed, the folder has this checkpoint or the one before.
/// The model beside it may then be the one before, which is a whole model too.
public struct TrainingCheckpoint: Sendable {
  public static let fileName = "training-state.safetensors"

  public let progress: TrainingProgress
  /// The parameters.
  public let model: Checkpoint
  private let folder: String
  private let tensors: SealedTensors

  /// The file.
  public var path: String { tensors.path }

  /// Of the file's form. Raised whenever it changes.
  private static let version = 1

  private struct Document: Codable {
    let version: Int
    let progress: TrainingProgress
  }

  private static let document = "training.json"
  private static let journal = "journal.json"

  /// - Throws: `ModelError` for a folder without a checkpoint, and for one that is damaged, of another form, or no training's.
  public init(folder: String) throws(ModelError) {
    self.folder = folder
    let path = folder + "/" + Self.fileName
    guard FileManager.default.fileExists(atPath: path) else {
      throw .malformed(path: folder, problem: "no \(Self.fileName) in it, expected the folder of a training")
    }
    tensors = try SealedTensors(path)
    let version: JSONVersion = try Self.decode(tensors, Self.document)
    guard version.version == Self.version else {
      throw .field(
        path: path, field: "\(Self.document): version", found: "\(version.version)",
        expected: "\(Self.version)")
    }
    let document: Document = try Self.decode(tensors, Self.document)
    progress = document.progress
    model = try tensors.model(named: folder)
    let field = "\(Self.document): progress"
    do throws(TrainingError) { try progress.options.check(modelContext: model.configuration.context) } catch {
      guard case .option(let name, let found, let expected) = error else {
        throw .malformed(path: path, problem: "\(field): \(error)")
      }
      throw .field(path: path, field: "\(field).options: \(name)", found: found, expected: expected)
    }
    guard (0...progress.options.steps).contains(progress.step) else {
      throw .field(
        path: path, field: "\(field).step", found: "\(progress.step)",
        expected: "a number from 0 to \(progress.options.steps), the steps of the training")
    }
  }

  /// What other versions have in common.
  private struct JSONVersion: Codable { let version: Int }

  /// What was kept with the checkpoint.
  /// - Throws: `ModelError` where it is not of that type.
  public func journal<Journal: Decodable>(_ type: Journal.Type = Journal.self) throws(ModelError) -> Journal {
    try Self.decode(tensors, Self.journal)
  }

  /// Whether the model beside it has the same parameters. It has not where a training was killed between the two.
  public var isModelWritten: Bool {
    guard let beside = try? Checkpoint(folder: folder), beside.configuration == model.configuration else {
      return false
    }
    return model.configuration.parameters.indices.allSatisfy { index in
      beside.tensor(at: index).elementsEqual(model.tensor(at: index))
    }
  }

  /// Refuses data that are not those of the training: the steps to come would not be the same.
  public func require(_ data: TokenData) throws(ModelError) {
    let (found, expected) = (data.identity, progress.data)
    let fields = [
      ("training tokens", "\(found.trainingTokens)", "\(expected.trainingTokens)"),
      ("validation tokens", "\(found.validationTokens)", "\(expected.validationTokens)"),
      ("tokens' digest", found.digest, expected.digest),
    ]
    for (field, found, expected) in fields where found != expected {
      throw .field(
        path: data.name, field: field, found: found,
        expected: "\(expected), with which \(path) was made")
    }
  }

  /// Makes a trainer what the one was that was saved.
  /// - Parameter trainer: of `model`'s shape.
  /// - Throws: `ModelError` for tensors that are missing or of another shape; the trainer is then of no use.
  public func restore(_ trainer: Trainer) throws(ModelError) {
    let parameters = trainer.configuration.parameters
    try trainer.restore(stepCount: progress.step) { state, index, values throws(ModelError) in
      try tensors.read(
        Self.tensor(state, parameters[index]), into: UnsafeMutableRawBufferPointer(values))
    }
  }

  /// Writes the checkpoint, and then the model. Of a file that cannot be written, what was there is as it was.
  ///
  /// - Parameters:
  ///   - journal: what is kept with the checkpoint, and is as old as it.
  ///   - ends: the tokens that end a text, for the model's `config.json`.
  ///   - folder: made where there is none.
  /// - Throws: `ModelError`, for a full disk too.
  public static func save(
    _ trainer: Trainer, order: WindowOrder, data: TokenData.Identity, journal: some Encodable, ends: Set<Int>,
    to folder: String
  ) throws(ModelError) {
    let progress = TrainingProgress(
      options: trainer.options, order: order, data: data, step: trainer.stepCount)
    let path = folder + "/" + fileName
    let documents: [(name: String, bytes: Data)]
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys]
      documents = [
        (document, try encoder.encode(Document(version: version, progress: progress))),
        (Self.journal, try encoder.encode(journal)),
      ]
    } catch { throw .unwritable(path: path, reason: systemReason(of: error)) }

    // A training that is killed again and again would fill the disk.
    for name in [fileName, "model.safetensors", "config.json"] {
      WholeFile.removeLeftovers(of: folder + "/" + name)
    }
    let parameters = trainer.configuration.parameters
    let moments = [Trainer.State.firstMoments, .secondMoments].flatMap { state in
      parameters.indices.map { (state: state, index: $0) }
    }
    func fill(_ target: UnsafeMutableBufferPointer<Float>, _ state: Trainer.State, _ index: Int) {
      _ = target.update(fromContentsOf: trainer.values(state, of: index))
    }
    try SealedTensors.write(
      trainer.configuration,
      moments.map { tensor($0.state, parameters[$0.index]) }
        + documents.map { NewTensor($0.name, .bytes, shape: [$0.bytes.count]) },
      to: path
    ) {
      fill($0, .parameters, $1)
    } _: { target, number in
      guard number >= moments.count else {
        let (state, index) = moments[number]
        return fill(target.bindMemory(to: Float.self), state, index)
      }
      target.copyBytes(from: documents[number - moments.count].bytes)
    }
    try trainer.configuration.exportSafetensors(to: folder, ends: ends) { fill($0, .parameters, $1) }
  }

  private static func tensor(_ state: Trainer.State, _ parameter: Parameter) -> NewTensor {
    let prefix =
      switch state {
      case .parameters: ""
      case .firstMoments: "first_moment."
      case .secondMoments: "second_moment."
      }
    return NewTensor(prefix + parameter.name, .float32, shape: parameter.shape)
  }

  private static func decode<Value: Decodable>(_ tensors: SealedTensors, _ name: String) throws(ModelError)
    -> Value
  {
    let bytes = try tensors.bytes(of: name)
    do { return try JSONDecoder().decode(Value.self, from: bytes) } catch let error as DecodingError {
      throw ModelError(error, path: "\(tensors.path): \(name)")
    } catch { throw .malformed(path: tensors.path, problem: "\(name): \(systemReason(of: error))") }
  }
}
