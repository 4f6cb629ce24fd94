namespace Convoy.Kernels.OpenCl;

/// <summary>How the programs for convolutions cut their results: constants of their build, stated here alone.</summary>
internal static class ConvTiles
{
    /// <summary>Results of an item, in either direction.</summary>
    public const int Each = 4;

    /// <summary>Items of a group, by rows (channels) and columns (pixels or weights of a channel).</summary>
    public const int ItemRows = 8, ItemColumns = 16;

    public const int Items = ItemRows * ItemColumns;

    /// <summary>Results of a group.</summary>
    public const int Rows = ItemRows * Each, Columns = ItemColumns * Each;

    /// <summary>Terms that are in local memory at a time; divides <see cref="Order.Block"/>.</summary>
    public const int Depth = 16;

    /// <summary>Local memory of a group in float64: both operands, a column more each against bank conflicts.</summary>
    public const int LocalBytes = Depth * (Rows + 1 + Columns + 1) * sizeof(double);

    public static string BuildOptions =>
        $"-cl-std=CL1.2 -D EACH={Each} -D ITEM_ROWS={ItemRows} -D ITEM_COLUMNS={ItemColumns} -D DEPTH={Depth} "
        + $"-D BLOCK={Order.Block} -D LANES={Order.Lanes}";
}
