"""One model's labels of one camera, a picture per message: `NAME:MODEL:inferred`, as in Elastic Inference."""
