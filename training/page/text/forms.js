/** Texts of the forms. */

export const text = {
  model: {
    addTitle: "Add model",
    edit: "Model",
    /** @param {string} name */
    editTitle: (name) => `Model “${name}”`,
    name: "Name",
    nameHint: "At most 30 characters. Versions in the model store are in a folder with this name",
    description: "Description",
    framework: "Framework",
    frameworks: { tf: "TensorFlow", pth: "PyTorch" },
    imports: "Imports",
    importsHint: "Runs before the code. Usually not needed",
    code: "Code",
    codeHint: {
      tf: "Sets the variable “model” to a compiled Keras model. keras, tf, np and tfds are there already",
      pth: "Sets the variable “model” to a torch.nn.Module with the methods loss_fn, optimizer and metrics. torch, nn and ignite’s metrics are there already",
    },
    save: "Check and save",
    checking: "Checking the code …",
    checkingLead: "It runs in a restricted process; this takes some seconds.",
    /** @param {string} name */
    saved: (name) => `Model “${name}” was saved`,
    kept: "These are changes that were not saved yet.",
    discard: "Discard them",
    example: {
      tf: `model = keras.Sequential(
    [
        keras.Input((28, 28)),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Flatten(),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
`,
      pth: `class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 128), nn.ReLU(), nn.Linear(128, 10))

    def forward(self, x):
        return self.layers(x)

    def loss_fn(self):
        return nn.CrossEntropyLoss()

    def optimizer(self):
        return torch.optim.Adam(self.parameters(), lr=0.001)

    def metrics(self):
        return {"loss": Loss(self.loss_fn()), "accuracy": Accuracy()}


model = Net()
`,
    },
  },
  configuration: {
    addTitle: "Add configuration",
    edit: "Configuration",
    /** @param {string} name */
    editTitle: (name) => `Configuration “${name}”`,
    name: "Name",
    nameHint: "At most 30 characters",
    description: "Description",
    models: "Models",
    modelsHint: "All of them are trained on the same data, each by a job of its own",
    noModels: "There are no models yet. Add one first.",
    addModel: "Add model",
    /** @param {string} name */
    saved: (name) => `Configuration “${name}” was saved`,
  },
  deployment: {
    title: "Train a configuration",
    configuration: "Configuration",
    none: "There are no configurations yet. Add one first.",
    gone: "The configuration that was chosen here was deleted",
    add: "Add configuration",
    data: "Data",
    dataHint: "New data come from a sink that names the deployment’s number, which you see after the start",
    newData: "Wait for new data",
    batch: "Batch",
    batchHint: "Samples per step",
    tfFit: "Arguments of the training (TensorFlow)",
    tfFitHint: "Of Keras’ fit, such as epochs=10, shuffle=True. Empty: one epoch",
    tfVal: "Arguments of the evaluation (TensorFlow)",
    tfValHint: "Of Keras’ evaluate. Usually empty",
    pthFit: "Arguments of the training (PyTorch)",
    pthFitHint: "Of ignite’s trainer, such as max_epochs=10. Empty: one epoch",
    pthVal: "Arguments of the evaluation (PyTorch)",
    pthValHint: "Of ignite’s evaluator. Usually empty",
    matrix: "Confusion matrix",
    matrixHint: "For models that tell classes apart: how often each is taken for another, in the test data",
    autoserve: "Promote the trained model at once",
    autoserveHint: "TensorFlow Serving then serves it. Otherwise it is a candidate until you promote it",
    random: "Choose validation and test data at random",
    randomHint: "Otherwise the stream’s first part is for training, its end for test and validation",
    more: "More settings",
    gpus: "GPUs",
    gpusHint: "For each job, on clusters that have them",
    nodes: "Labels of nodes",
    nodesHint: 'On clusters: JSON, which nodes the pods may run on, such as {"disk": "ssd"}. Empty: any',
    tolerations: "Tolerations",
    tolerationsHint: 'On clusters: JSON as Kubernetes writes it, such as [{"key": "gpu", "operator": "Exists"}]',
    seed: "Seed",
    seedHint: "Of everything that is random. Empty: a new one, which the result shows",
    start: "Start",
    starting: "Starting …",
  },
  send: {
    /** @param {number} deployment */
    heading: (deployment) => `Send data to deployment ${deployment}`,
    lead: "The job waits for its data. Send them with a sink, or send a stream again that is in Kafka already.",
    stream: "Choose a stream",
    /** @param {number} deployment */
    code: (deployment) =>
      `from training.client import RawSink\n\nwith RawSink("kafka:9092", "topic", deployment=${deployment}, validation_rate=0.1, test_rate=0.1) as sink:\n    for data, label in samples:\n        sink.send(data, label)\n`,
  },
  inference: {
    /** @param {string} name */
    title: (name) => `Predict with ${name}`,
    prefilled: "The format is that of the data it was trained on, or of an earlier inference.",
    format: "Format of the messages",
    config: "How they are encoded",
    configHint: "JSON: for RAW, data_type and data_reshape; for AVRO, data_scheme",
    input: "Input topic",
    inputHint: "Messages to predict",
    output: "Output topic",
    outputHint: "Gets the predictions: {\"values\": […]}, with the key and the headers of the message",
    replicas: "Replicas",
    replicasHint: "They share the partitions of the input topic",
    more: "More settings",
    inputBroker: "Kafka of the input topic",
    outputBroker: "Kafka of the output topic",
    brokerHint: "Such as kafka:9092. Empty: the service’s own",
    server: "Model server",
    serverHint: "TensorFlow Serving’s model, such as http://tfserving:8501/v1/models/digits:predict. Empty: each replica loads the model itself",
    start: "Start",
    starting: "Starting …",
    notFinished: "Only finished results can predict.",
  },
  bring: {
    title: "Import a trained model",
    lead: "A model that was trained elsewhere becomes a finished result, which can predict.",
    configuration: "Configuration",
    configurationHint: "One with a single model: its code must be that of the file",
    none: "There is no configuration with a single model. Add one first.",
    file: "File",
    fileHint: "TensorFlow: .h5 or .keras. PyTorch: the file of torch.save(model.state_dict(), …)",
    metrics: "Metrics",
    metricsHint: "Optional JSON, such as {\"train_metrics\": {\"loss\": [0.2, 0.1]}}",
    start: "Import",
    /** @param {number} share */
    sending: (share) => (share < 1 ? `Uploading ${Math.round(100 * share)}% …` : "Checking the model …"),
    noFile: "Choose a file",
  },
};
