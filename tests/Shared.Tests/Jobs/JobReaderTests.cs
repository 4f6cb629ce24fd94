using Convoy.Shared.Jobs;

namespace Convoy.Shared.Tests.Jobs;

public sealed class JobReaderTests
{
    private const string Mlp = """
        job: digits-mlp
        seed: 7
        model: { family: mlp, layers: [64, 128, 10], activation: relu }
        data: { format: csv, path: data/optdigits.tra, test_path: data/optdigits.tes, label: last, scale: 0.0625 }
        batch: 128
        slices: 8
        epochs: 20                      # or steps: N
        optimizer: { kind: adamw, lr: 0.002, weight_decay: 0.01, schedule: { kind: cosine, warmup: 50 } }
        clip: { global_norm: 1.0 }
        parallel: { data: auto, tensor: 1, pipeline: 1 }
        sync: { algorithm: auto, codec: none, bucket: 4MB }
        checkpoint: { every: 100, keep: 3 }
        elastic: { min: 1, max: 8 }
        precision: float32
        """;

    private const string Cnn = """
        model:
          family: cnn
          image: [1, 8, 8]
          network: [conv16, conv32, pool, 64, "10"]
        data: { format: csv, path: x.csv }
        steps: 100
        """;

    private const string Gpt = """
        model: { family: gpt, context: 64, width: 64, depth: 2, heads: 4 }
        data: { format: text, path: [docs, "src/**/*.cs"] }
        steps: 100
        """;

    private static JobSpec Read(string yaml, params string[] sets) =>
        JobReader.ReadText(yaml, "job.yaml", "/jobs", sets, "/");

    private static string Refusal(string yaml, params string[] sets)
    {
        var e = Assert.Throws<UserException>(() => Read(yaml, sets));
        Assert.Equal(ExitCode.BadJob, e.Code);
        Assert.DoesNotContain('\n', e.Message);
        return e.Message;
    }

    [Fact]
    public void The_job_of_the_documentation_is_read()
    {
        var job = Read(Mlp);
        Assert.Equal("digits-mlp", job.Job);
        Assert.Equal(7ul, job.Seed);
        Assert.Equal([64, 128, 10], job.Model.Layers);
        Assert.Equal("/data/optdigits.tra", Assert.Single(job.Data.Path));
        Assert.Equal(0.0625, job.Data.Scale);
        Assert.Equal(20, job.Epochs);
        Assert.Equal(0, job.Steps);
        Assert.Equal("cosine", job.Optimizer.Schedule.Kind);
        Assert.Equal(50, job.Optimizer.Schedule.Warmup);
        Assert.Equal(1.0, job.Clip.GlobalNorm);
        Assert.Equal(0, job.Parallel.Data);
        Assert.Equal(4 << 20, job.Sync.BucketBytes);
    }

    [Fact]
    public void The_words_of_a_network_may_be_numbers_or_text() =>
        Assert.Equal(["conv16", "conv32", "pool", "64", "10"], Read(Cnn).Model.Network);

    [Fact]
    public void Elastic_max_follows_fewer_slices() => Assert.Equal(2, Read(Gpt, "slices=2").Elastic.Max);

    [Theory]
    [InlineData(Mlp)]
    [InlineData(Cnn)]
    [InlineData(Gpt)]
    public void The_printed_job_reads_back_to_the_same_job(string yaml)
    {
        var job = Read(yaml);
        Assert.Equal(Json(job), Json(Read(JobPrinter.ToYaml(job))));
    }

    [Theory]
    [InlineData(Mlp)]
    [InlineData(Cnn)]
    [InlineData(Gpt)]
    public void Json_goes_round(string yaml)
    {
        var bytes = JobJson.Write(Read(yaml));
        Assert.Equal(bytes, JobJson.Write(JobJson.Read(bytes)));
    }

    // Each row: the line added to (or written instead of) a good job, and the whole message.
    [Theory]
    [InlineData("bathc: 4", "job.yaml:15:1: bathc: unknown key; did you mean batch?")]
    [InlineData("checkpoints: { every: 4 }", "job.yaml:15:1: checkpoints: unknown key; did you mean checkpoint?")]
    [InlineData("lr: 0.1", "job.yaml:15:1: lr: unknown key; did you mean optimizer.lr?")]
    [InlineData("batch: 4", "job.yaml:15:1: batch: the key stands here twice; keep one")]
    [InlineData("timeouts: 5", "job.yaml:15:11: timeouts: a group of keys is expected (beat, dead, stall), not '5'")]
    [InlineData("timeouts: { beat: 500ms }",
        "job.yaml:1:1: timeouts.dead: 3 x beat (00:00:01.5000000) must be below dead (00:00:01); raise timeouts.dead or lower timeouts.beat")]
    [InlineData("timeouts: { beat: soon }",
        "job.yaml:15:19: timeouts.beat: a time such as 250ms or 1s is expected, not 'soon'")]
    [InlineData("steps: 5", "job.yaml:15:8: steps: epochs is set too; keep one of the two")]
    [InlineData("zzzzzzzzzzzz: 1",
        "job.yaml:15:1: zzzzzzzzzzzz: unknown key; the keys here are job, seed, batch, slices, micro_batches, recompute, blas, accelerator, epochs, steps, anomaly, precision, model, data, optimizer, clip, gradient, average, parallel, sync, checkpoint, elastic, timeouts")]
    [InlineData("gradient: { non_finite: stopp }",
        "job.yaml:15:25: gradient.non_finite: 'stopp' is not known (did you mean stop?); use skip, stop or clean")]
    [InlineData("gradient: { noise: -1 }", "job.yaml:15:20: gradient.noise: -1 is out of range; it is 0 or more")]
    [InlineData("average: { decay: 1 }", "job.yaml:15:19: average.decay: 1 is out of range; it is 0 to below 1")]
    [InlineData("average: { evaluate: true }",
        "job.yaml:15:12: average.evaluate: it is read only where average.decay is above 0; remove it")]
    [InlineData("anomaly: yes", "job.yaml:15:10: anomaly: 'yes' is not true or false")]
    [InlineData("---", "job.yaml:15:1: a job file is one YAML document; remove what follows '---' or '...'")]
    public void A_wrong_line_is_refused_where_it_stands(string line, string message) =>
        Assert.Equal(message, Refusal(Mlp + "\n" + line));

    [Theory]
    [InlineData("seed: 7", "seed: -1",
        "job.yaml:2:7: seed: a whole number from 0 to 18446744073709551615 is expected, not '-1'")]
    [InlineData("seed: 7", "seed: \"7\"",
        "job.yaml:2:7: seed: a whole number is expected, not the text \"7\"; remove the quotes")]
    [InlineData("seed: 7", "seed:", "job.yaml:2:6: seed: has no value; write a whole number or remove the key")]
    [InlineData("batch: 128", "batch: 12.5", "job.yaml:5:8: batch: a whole number is expected, not '12.5'")]
    [InlineData("batch: 128", "batch: 0", "job.yaml:5:8: batch: 0 is out of range; it is 1 to 16777216")]
    [InlineData("batch: 128", "batch: 4",
        "job.yaml:6:9: slices: 8 slices are more than the 4 samples of a batch; lower slices or raise batch")]
    [InlineData("batch: 128", "batch: [1]", "job.yaml:5:8: batch: a whole number is expected, not a list")]
    [InlineData("batch: 128", "batch: 99999999999",
        "job.yaml:5:8: batch: 99999999999 is too large; at most 2147483647")]
    [InlineData("slices: 8", "slices: 4",
        "job.yaml:13:25: elastic.max: 8 workers are more than the 4 slices; lower elastic.max or raise slices")]
    [InlineData("min: 1", "min: 9",
        "job.yaml:13:17: elastic.min: 9 is above elastic.max (8); lower elastic.min or raise elastic.max")]
    [InlineData("epochs: 20", "job2: 20", "job.yaml:7:1: job2: unknown key; did you mean job?")]
    [InlineData("epochs: 20", "# none",
        "job.yaml:1:1: epochs: how long to train is missing; write epochs: N or steps: N")]
    [InlineData("clip: { global_norm: 1.0 }", "clip: { percentile: 20, average: 2 }",
        "job.yaml:9:34: clip.average: clip.percentile is set too; keep one of the two bounds")]
    [InlineData("clip: { global_norm: 1.0 }", "clip: { window: 20 }",
        "job.yaml:9:9: clip.window: it is read only where clip.percentile is above 0; remove it")]
    [InlineData("{ kind: adamw, lr: 0.002, weight_decay: 0.01, schedule: { kind: cosine, warmup: 50 } }",
        "{ kind: sgd, momentum: 0.9, nesterov: true, dampening: 0.1 }",
        "job.yaml:8:67: optimizer.dampening: it damps what enters the momentum of optimizer.momentum without nesterov; "
            + "set momentum and leave nesterov out, or leave dampening at 0")]
    [InlineData("clip: { global_norm: 1.0 }", "clip: { average: 1 }",
        "job.yaml:9:18: clip.average: 1 is out of range; it is 0 or above 1")]
    [InlineData("family: mlp, ", "family: mlp, dropout: 1, ",
        "job.yaml:3:32: model.dropout: 1 is out of range; it is 0 to below 1")]
    [InlineData("family: mlp, ", "family: mlp, norm: batch, ",
        "job.yaml:3:23: model.norm: it is read only where model.family is cnn; remove it")]
    [InlineData("family: mlp", "family: mpl",
        "job.yaml:3:18: model.family: 'mpl' is not known (did you mean mlp?); use mlp, cnn or gpt")]
    [InlineData("family: mlp, ", "", "job.yaml:1:1: model.family: the key is missing; write one (mlp, cnn, gpt)")]
    [InlineData("layers: [64, 128, 10]", "layers: [64]",
        "job.yaml:3:31: model.layers: 1 widths; write 2 to 64, such as [64, 128, 10]")]
    [InlineData("layers: [64, 128, 10]", "layers: [64, x]",
        "job.yaml:3:36: model.layers: a whole number is expected, not 'x'")]
    [InlineData("layers: [64, 128, 10]", "layers: [64, 0]",
        "job.yaml:3:31: model.layers: 0 is out of range; it is 1 to 1048576")]
    [InlineData("layers: [64, 128, 10]", "context: 64",
        "job.yaml:3:23: model.context: it is read only where model.family is gpt; remove it")]
    [InlineData("layers: [64, 128, 10], ", "",
        "job.yaml:1:1: model.layers: 0 widths; write 2 to 64, such as [64, 128, 10]")]
    [InlineData("format: csv", "format: parquet",
        "job.yaml:4:17: data.format: 'parquet' is not known; use csv, idx, npy or text")]
    [InlineData("format: csv", "format: idx",
        "job.yaml:4:79: data.label: it is read only where data.format is csv; remove it")]
    [InlineData("scale: 0.0625", "scale: .nan", "job.yaml:4:99: data.scale: a finite number is expected, not '.nan'")]
    [InlineData("scale: 0.0625", "test_split: 0.5",
        "job.yaml:4:104: data.test_split: test_path is set too; keep one of the two")]
    [InlineData("label: last", "labels: [a]",
        "job.yaml:4:79: data.labels: it is read only where data.format is idx or npy; remove it")]
    [InlineData("lr: 0.002", "lr: NaN", "job.yaml:8:31: optimizer.lr: a finite number is expected, not 'NaN'")]
    [InlineData("lr: 0.002", "lr: 0", "job.yaml:8:31: optimizer.lr: 0 is out of range; it is above 0")]
    [InlineData("lr: 0.002", "momentum: 0.9",
        "job.yaml:8:27: optimizer.momentum: it is read only where optimizer.kind is sgd or rmsprop; remove it")]
    [InlineData("warmup: 50", "warmpu: 50",
        "job.yaml:8:84: optimizer.schedule.warmpu: unknown key; did you mean optimizer.schedule.warmup?")]
    [InlineData("kind: cosine", "floor: 0.5",
        "job.yaml:8:70: optimizer.schedule.floor: it is read only where optimizer.schedule.kind is cosine, linear, polynomial or cosine-restarts; remove it")]
    [InlineData("tensor: 1", "tensor: 2",
        "job.yaml:10:33: parallel.tensor: 2 is not there yet; only 1 works in this version")]
    [InlineData("pipeline: 1", "pipeline: 2",
        "job.yaml:10:46: parallel.pipeline: 2 is not there yet; only 1 works in this version")]
    [InlineData("data: auto", "data: 16",
        "job.yaml:10:19: parallel.data: 16 is outside elastic (1 to 8); change it or elastic")]
    [InlineData("codec: none", "codec: int8", "job.yaml:11:33: sync.codec: int8 is not there yet; use none")]
    [InlineData("algorithm: auto", "algorithm: ring",
        "job.yaml:11:20: sync.algorithm: ring is not there yet; use auto or direct")]
    [InlineData("bucket: 4MB", "bucket: 4XB",
        "job.yaml:11:47: sync.bucket: a size such as 4MB, 512KB or a number of bytes is expected, not '4XB'")]
    [InlineData("bucket: 4MB", "bucket: 9GB", "job.yaml:11:47: sync.bucket: 9GB is too large")]
    [InlineData("keep: 3", "keep: 0", "job.yaml:12:33: checkpoint.keep: 0 is out of range; it is 1 to 10000")]
    [InlineData("float32", "bfloat16", "job.yaml:14:12: precision: bfloat16 is not there yet; use float32")]
    [InlineData("digits-mlp", "a b",
        "job.yaml:1:6: job: 'a b' is not a name; use 1 to 64 letters, digits, '.', '_' or '-', and begin with a letter or digit")]
    [InlineData("seed: 7", "seed: &a 7", "job.yaml:2:7: anchors (&name) are not read here; remove it")]
    [InlineData("seed: 7", "seed: *a", "job.yaml:2:7: aliases (*name) are not read here; write the value out")]
    [InlineData("seed: 7", "seed: !!int 7", "job.yaml:2:7: tags (tag:yaml.org,2002:int) are not read here; remove it")]
    public void A_wrong_value_is_refused_where_it_stands(string good, string bad, string message)
    {
        Assert.Contains(good, Mlp, StringComparison.Ordinal);
        Assert.Equal(message, Refusal(Mlp.Replace(good, bad, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("[conv16, 10, pool]", "'pool' stands after a dense layer; put convolutions and pools first")]
    [InlineData("[conv16, pool]", "the last word is the number of classes, such as 10")]
    [InlineData("[conv0, 10]", "'conv0' is not a layer; write conv<channels>, pool or a width, each 1 to 65536")]
    [InlineData("[covn16, 10]", "'covn16' is not a layer; write conv<channels>, pool or a width, each 1 to 65536")]
    [InlineData("[]", "0 words; write 1 to 256, such as [conv16, pool, 64, 10]")]
    public void A_wrong_network_is_refused(string network, string rule) =>
        Assert.Equal($"job.yaml:4:12: model.network: {rule}",
            Refusal(Cnn.Replace("[conv16, conv32, pool, 64, \"10\"]", network, StringComparison.Ordinal)));

    [Fact]
    public void Families_and_formats_must_fit()
    {
        Assert.Equal("job.yaml:2:17: data.format: the gpt family reads text, not csv; use format: text or another "
            + "family",
            Refusal(Gpt.Replace("format: text", "format: csv", StringComparison.Ordinal)));
        Assert.Equal("job.yaml:5:17: data.format: the cnn family reads csv, idx or npy, not text; use another format "
            + "or family: gpt",
            Refusal(Cnn.Replace("format: csv", "format: text", StringComparison.Ordinal)));
        Assert.Equal("job.yaml:1:43: model.width: 66 is not a multiple of model.heads (4); change one of them",
            Refusal(Gpt.Replace("width: 64", "width: 66", StringComparison.Ordinal)));
        Assert.Equal("job.yaml:1:1: data.labels: 0 files of labels for 1 files of samples; give one for each",
            Refusal(Cnn.Replace("format: csv", "format: idx", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("# only a comment\n")]
    public void An_empty_job_names_what_is_missing(string yaml) =>
        Assert.Equal("job.yaml:1:1: model.family: the key is missing; write one (mlp, cnn, gpt)", Refusal(yaml));

    [Theory]
    [InlineData("- a\n- b")]
    [InlineData("just text")]
    [InlineData("a: [1, 2")]
    [InlineData("a: b: c")]
    [InlineData("\tx: 1")]
    [InlineData("? [a]\n: 1")]
    [InlineData("a: \"unclosed")]
    public void What_is_not_a_job_is_refused_in_one_line(string yaml) =>
        Assert.StartsWith("job.yaml:", Refusal(yaml), StringComparison.Ordinal);

    [Fact]
    public void Deep_nesting_is_refused_without_deep_recursion() =>
        Assert.Contains("nested", Refusal("a: " + new string('[', 100_000)), StringComparison.Ordinal);

    [Fact]
    public void Overrides_change_values_and_are_checked_like_the_file()
    {
        var job = Read(Mlp, "optimizer.lr=0.5", "steps=10", "model.layers=[64, 32, 10]", "elastic={ min: 2, max: 4 }");
        Assert.Equal(0.5, job.Optimizer.Lr);
        Assert.Equal((10L, 0), (job.Steps, job.Epochs));
        Assert.Equal([64, 32, 10], job.Model.Layers);
        Assert.Equal((2, 4), (job.Elastic.Min, job.Elastic.Max));
    }

    [Theory]
    [InlineData("optimizer.rl=1", "--set optimizer.rl=1: optimizer.rl: unknown key; did you mean optimizer.lr?")]
    [InlineData("optimiser.lr=1", "--set optimiser.lr=1: optimiser.lr: unknown key; did you mean optimizer.lr?")]
    [InlineData("batch=many", "--set batch=many: batch: a whole number is expected, not 'many'")]
    [InlineData("batch=", "--set batch=: batch: has no value; write a whole number or remove the key")]
    [InlineData("batch", "--set batch: an override is KEY=VALUE, such as --set optimizer.lr=0.01")]
    [InlineData("slices=4096",
        "--set slices=4096: slices: 4096 slices are more than the 128 samples of a batch; lower slices or raise batch")]
    public void A_wrong_override_is_refused_by_its_own_name(string set, string message) =>
        Assert.Equal(message, Refusal(Mlp, set));

    [Fact]
    public void Every_single_character_lost_from_a_job_gives_a_job_or_one_line()
    {
        for (var i = 0; i < Mlp.Length; i++)
        {
            try
            {
                Read(Mlp.Remove(i, 1));
            }
            catch (UserException e)
            {
                Assert.DoesNotContain('\n', e.Message);
            }
        }
    }
    private static string Json(JobSpec job) => System.Text.Encoding.UTF8.GetString(JobJson.Write(job));
}
