// JSON lines: messages and bytes a second of the actor runtime and its remoting, in one process over loopback.
//   dotnet run -c Release --project load-tests/Messaging -- [tell|pingpong|control|bulk|shared] [seconds] [bytes]
// Bulk is measured in turns with a raw socket pair that moves the same frames; the ratio is the figure to quote.
using System.Globalization;
using Convoy.LoadTests.Messaging;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var which = args.Length > 0 ? args[0] : "all";
var seconds = args.Length > 1 ? double.Parse(args[1], CultureInfo.InvariantCulture) : 2;
var bytes = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 0; // of a bulk frame; 0: all sizes
if (which is "all" or "tell") LocalMessages.Tell(seconds);
if (which is "all" or "pingpong") LocalMessages.PingPong(seconds);
if (which is "all" or "control") RemoteMessages.Run(seconds);
if (which is "all" or "bulk") BulkFrames.Run(seconds, bytes);
if (which is "all" or "shared") BulkFrames.RunShared(seconds, bytes);
