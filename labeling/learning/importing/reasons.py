"""Why a model is not taken, as ``inference.brought_in`` says it: found again here, to be said in the reader's language."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from labeling.jobs import told

GONE = gettext_noop("What was sent is not there any more. Send the file again.")
told.know(
    [
        gettext_noop("The file has %(size)s MiB; at most %(most)s are taken."),
        gettext_noop("The file is no ONNX model: %(error)s"),
        gettext_noop(
            "The model uses operations that are not ONNX's own (%(names)s). Export it with standard operations only."
        ),
        gettext_noop("The model is not valid ONNX: %(error)s"),
        gettext_noop(
            "The model must take one thing, photos, and give rows with a column a class; it takes %(n)s, and gives "
            "%(shapes)s."
        ),
        gettext_noop("The model gives %(n)s columns, and %(said)s were said to be classes."),
        gettext_noop("The model takes photos of %(n)s pixels a side, and the size said is %(said)s."),
        gettext_noop("The model must take photos as %(kinds)s."),
        gettext_noop("The model takes photos of %(sides)s pixels. Export it for squares."),
        gettext_noop(
            "The model must take photos of three colours, as (n, 3, side, side); it takes %(shape)s."
        ),
        gettext_noop("The model did not answer for four photos within %(n)s\u00a0s."),
        gettext_noop(
            "The model ended the process that tried it (code %(code)s): it takes more than %(n)s\u00a0s or too much memory, "
            "or is damaged. %(error)s"
        ),
        gettext_noop("The model gives no finite number for each of %(n)s classes on photos of noise."),
        gettext_noop(
            "ONNX Runtime cannot run the model on photos of %(size)s pixels, %(n)s at once. Export it for a batch of any "
            "size, or name another size. It said: %(error)s"
        ),
        gettext_noop("%(name)s is %(n)s; a side is 16 to 2048 pixels."),
        gettext_noop("The preprocessor's file says what cannot be: %(error)s"),
        gettext_noop("The network must take squares; its size is told as %(size)s."),
        gettext_noop("%(name)s must be three numbers: of red, green and blue."),
        gettext_noop("%(name)s must be three numbers, and a deviation is more than 0."),
        gettext_noop("Version %(number)s is this very classifier."),
        gettext_noop("Name the class of each column by its key, two classes at least. There are: %(keys)s."),
    ]
)
#: Without a name or a number in them.
WHOLE = (
    gettext_noop("The model keeps weights in other files. Save it as one file: onnx.save(model, path)."),
    gettext_noop(
        "The model says something else of a photo when others are beside it. Export it for a batch of any size."
    ),
    gettext_noop("A photo cannot be made smaller than the square that is cut out of it."),
    gettext_noop("resample must be 2 (bilinear) or 3 (bicubic)."),
)
