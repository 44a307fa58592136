using TinyLlm.Engine;
using TinyLlm.Grains.Errors;

namespace TinyLlm.Grains.Sessions;

/// <summary>What the engine ended with, as the caller is told it.</summary>
internal static class EngineFault
{
    /// <summary>The refusal where the device's load, the model or the request is at fault; null: it is a fault of ours.</summary>
    public static RequestException? ToRefusal(Exception? error) => error switch
    {
        EngineBusyException busy =>
            new(RequestError.NoCapacity, "The accelerator had no place for this request in time: try again soon.") { RetryAfter = busy.RetryAfter },
        ModelOutputException { Fault: ModelOutputFault.NotFinite } =>
            new(RequestError.ModelInvalid, "The model's weights give no finite numbers for this text: upload the model again.") { Detail = "model_not_finite" },
        ModelOutputException { Fault: ModelOutputFault.NoAllowedToken } =>
            new(RequestError.Malformed, "response_format: this model's tokenizer has no token that goes on with its answer: leave it out, or ask for another schema.")
            {
                Parameter = "response_format",
                Detail = "schema_no_token",
            },
        _ => null,
    };
}
