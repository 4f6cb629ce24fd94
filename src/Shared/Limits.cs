namespace Convoy.Shared;

/// <summary>Upper bounds checked at send and before any allocation at receive (decisions 8 and 11).</summary>
public static class Limits
{
    /// <summary>Bytes of one control message.</summary>
    public const int ControlMessageBytesMax = 16 << 20;
    /// <summary>Bytes of the payload of one bulk frame.</summary>
    public const int BulkPayloadBytesMax = 8 << 20;
    public const int WorkersMax = 10_000;
    public const int SlicesMax = 4_096;
    /// <summary>Messages that wait in one mailbox.</summary>
    public const int MailboxMessagesMax = 65_536;
    public const int GraphNodesMax = 200_000;
    public const int TensorRankMax = 8;
    public const long JobFileBytesMax = 1 << 20;
    /// <summary>Elements of one norm block; chunk borders are multiples of it (decision 4).</summary>
    public const int NormBlock = 4_096;
}
