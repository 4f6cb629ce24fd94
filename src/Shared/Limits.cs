namespace Convoy.Shared;

/// <summary>Upper bounds checked at send and before any allocation at receive (decisions 8 and 11).</summary>
public static class Limits
{
    /// <summary>Bytes of one control message.</summary>
    public const int ControlMessageBytesMax = 16 << 20;
    /// <summary>Bytes of the payload of one bulk frame.</summary>
    public const int BulkPayloadBytesMax = 8 << 20;
    public const int WorkersMax = 10_000;
    /// <summary>A member has at least one slice, so that there are as many members as workers at most.</summary>
    public const int SlicesMax = 16_384;
    /// <summary>The coordinator tells so many members each by itself; more are told through a tree.</summary>
    public const int CastDirectMax = 512;
    /// <summary>Children of a node of that tree.</summary>
    public const int CastFanOut = 32;
    /// <summary>
    /// Saves of a job that are begun and neither published nor given up: a step waits before a third one (CP-5).
    /// </summary>
    public const int SavesUnderWayMax = 2;
    /// <summary>Messages that wait in one mailbox.</summary>
    public const int MailboxMessagesMax = 65_536;
    public const int GraphNodesMax = 200_000;
    public const int TensorRankMax = 8;
    public const long JobFileBytesMax = 1 << 20;
    /// <summary>Elements of one norm block; chunk borders are multiples of it (decision 4).</summary>
    public const int NormBlock = 4_096;
}
