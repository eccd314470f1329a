/** What the server answers: the fields that the page uses. */

/** @typedef {{id: number, name: string}} Brief */

/**
 * @typedef {object} Model
 * @property {number} id
 * @property {string} name
 * @property {string} description
 * @property {string} imports
 * @property {string} code
 * @property {boolean} distributed
 * @property {Brief | null} father
 * @property {"tf" | "pth"} framework
 * @property {string} updated_at
 */

/**
 * @typedef {object} Configuration
 * @property {number} id
 * @property {string} name
 * @property {string} description
 * @property {Brief[]} ml_models
 * @property {{id: number, time: string}[]} deployments
 */

/** @typedef {{id: number, status: Status, state: State, model: Brief, status_changed: string}} BriefResult */

/**
 * @typedef {object} Deployment
 * @property {number} id
 * @property {Brief} configuration
 * @property {BriefResult[]} results
 * @property {string} time
 * @property {number} batch
 * @property {string} tf_kwargs_fit
 * @property {string} tf_kwargs_val
 * @property {string} pth_kwargs_fit
 * @property {string} pth_kwargs_val
 * @property {boolean} conf_mat_settings
 * @property {boolean} autoserve
 * @property {boolean} random_split
 */

/** @typedef {"created" | "deployed" | "finished" | "stopped"} Status */

/**
 * @typedef {"queued" | "starting" | "waiting" | "reading" | "training" | "evaluating" | "exporting" | "finished" | "failed" |
 *   "stopped"} State
 */

/** A metric's name, and its number after each epoch. @typedef {Record<string, (number | null)[]>} Metrics */

/**
 * @typedef {object} Progress
 * @property {number} [read] messages read, of `total`
 * @property {number} [total]
 * @property {number} [epoch] epochs done, of `epochs`
 * @property {number} [epochs]
 * @property {number} [step] steps of this epoch done, of `steps`
 * @property {number} [steps]
 * @property {number} [left_s]
 * @property {number} [place] in the queue, from 1
 */

/**
 * @typedef {object} Result
 * @property {number} id
 * @property {Status} status
 * @property {State} state
 * @property {string | null} reason
 * @property {Progress | null} progress
 * @property {string} status_changed
 * @property {{id: number, time: string}} deployment
 * @property {Brief} model
 * @property {Metrics | null} train_metrics
 * @property {Metrics | null} val_metrics
 * @property {Metrics | null} test_metrics
 * @property {number[][] | null} confusion_matrix
 * @property {number | string | null} training_time s
 * @property {number | null} seed
 */

/**
 * @typedef {object} Datasource
 * @property {number} id
 * @property {string} deployment its number
 * @property {string} input_format
 * @property {string} input_config JSON
 * @property {string} description
 * @property {string} topic ranges
 * @property {number} validation_rate
 * @property {number} test_rate
 * @property {number | null} total_msg
 * @property {string} time
 */

/**
 * @typedef {object} Inference
 * @property {number} id
 * @property {number | null} model_result
 * @property {number} replicas
 * @property {string} input_format
 * @property {string} input_config JSON
 * @property {string} input_topic
 * @property {string} output_topic
 * @property {string} time
 * @property {"deployed" | "stopped"} status
 * @property {string} status_changed
 * @property {string | null} reason what is missing
 * @property {"starting" | "ready" | "not-ready" | "stopped"} state
 * @property {{answered?: number, skipped?: number, waiting?: number | null}} progress
 */

/**
 * @typedef {object} Version
 * @property {number} version
 * @property {"candidate" | "served" | "old"} state
 * @property {number | null} result
 * @property {string | null} created
 * @property {string | null} promoted
 */

/** @typedef {{model: string, served: number | null, versions: Version[]}} ModelVersions */

export {};
