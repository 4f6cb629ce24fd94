using System.Text;

namespace Convoy.Cli.Data;

/// <summary>A file of a data set: where it comes from, and the hash that decides whether it is the right one.</summary>
/// <param name="Name">Name under the data folder.</param>
/// <param name="Url">Where it is downloaded from.</param>
/// <param name="Bytes">Length of the download.</param>
/// <param name="Sha256">Hash of the download.</param>
/// <param name="Header">A first line that the source lacks and the readers need; empty: none.</param>
/// <param name="FinalSha256">Hash with that line.</param>
internal sealed record CatalogueFile(
    string Name, string Url, long Bytes, string Sha256, string Header = "", string? FinalSha256 = null)
{
    public string WantedSha256 => FinalSha256 ?? Sha256;
    public byte[] HeaderBytes => Encoding.ASCII.GetBytes(Header);
}

/// <summary>The data sets that <c>data get</c> knows.</summary>
internal static class Catalogue
{
    private const string Uci = "https://archive.ics.uci.edu/ml/machine-learning-databases/optdigits/";
    private const string Mnist = "https://ossci-datasets.s3.amazonaws.com/mnist/";
    private const string Shakespeare =
        "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt";

    public static readonly IReadOnlyList<(string Name, string What, CatalogueFile[] Files)> Sets =
    [
        ("optdigits", "UCI handwritten digits, 8x8 counts, CSV (CC BY 4.0)",
        [
            new("optdigits.tra", Uci + "optdigits.tra", 563_639,
                "e1b683cc211604fe8fd8c4417e6a69f31380e0c61d4af22e93cc21e9257ffedd", DigitsHeader,
                "83b5fd08ac1e96b0509c7fbac516c0259026240b432cc738dbd746e3a8549834"),
            new("optdigits.tes", Uci + "optdigits.tes", 264_712,
                "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8", DigitsHeader,
                "01eb9e7627f764dc96a2dc1dfcca661b33751eda5db9833e1ca531115309731e"),
        ]),
        ("mnist", "MNIST handwritten digits, the 10,000 test images, IDX gzip",
        [
            new("t10k-images-idx3-ubyte.gz", Mnist + "t10k-images-idx3-ubyte.gz", 1_648_877,
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
            new("t10k-labels-idx1-ubyte.gz", Mnist + "t10k-labels-idx1-ubyte.gz", 4_542,
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
        ]),
        ("mnist-train", "MNIST handwritten digits, the 60,000 training images, IDX gzip",
        [
            new("train-images-idx3-ubyte.gz", Mnist + "train-images-idx3-ubyte.gz", 9_912_422,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
            new("train-labels-idx1-ubyte.gz", Mnist + "train-labels-idx1-ubyte.gz", 28_881,
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        ]),
        ("shakespeare", "1.1 MB of Shakespeare, text",
        [
            new("tinyshakespeare.txt", Shakespeare, 1_115_394,
                "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"),
        ]),
    ];

    // The source has no header line, and a CSV without one would lose its first row to the reader. The line ends as in
    // the published copies that have one, so that their hash can be pinned.
    private static string DigitsHeader =>
        string.Concat(Enumerable.Range(1, 64).Select(i => $"Block {i},")) + "Class\r\n";
}
