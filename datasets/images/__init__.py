"""Operations on single images: decoding, resizing, boxes, histograms."""
